#include "cpu/filters.h"

#include <cstring>

#include "core/bfloat16.h"
#include "cpu/simd.h"

namespace fovea::cpu {

#if defined(__x86_64__) && defined(__GNUC__)
#define FOVEA_BODY "cpu/filters_body.h"
#include "cpu/each_simd.h"
#endif

template <class T>
const FilterLoops<T>* filterLoops() {
#if defined(__x86_64__) && defined(__GNUC__)
  if (simd() != Simd::kNone) return wide() ? avx512::loops<T>() : avx2::loops<T>();
#endif
  return nullptr;
}
template const FilterLoops<float>* filterLoops();
template const FilterLoops<BFloat16>* filterLoops();

}  // namespace fovea::cpu
