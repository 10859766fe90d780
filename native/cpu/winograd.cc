#include "cpu/winograd.h"

#include <cstdlib>
#include <cstring>

#include "cpu/gemm_tile.h"
#include "cpu/simd.h"

#if defined(__x86_64__) && defined(__GNUC__)

namespace fovea::cpu::winograd {

#define FOVEA_BODY "cpu/winograd_body.h"
#include "cpu/each_simd.h"

template <class T>
const ImageTransforms<T>& imageTransforms(Form form) {
  return wide() ? avx512::imageTransformsOf<T>(form) : avx2::imageTransformsOf<T>(form);
}

const KernelTransforms& kernelTransforms(Form form) {
  return wide() ? avx512::kernelTransformsOf(form) : avx2::kernelTransformsOf(form);
}

}  // namespace fovea::cpu::winograd

#else

namespace fovea::cpu::winograd {

template <class T>
const ImageTransforms<T>& imageTransforms(Form) {
  std::abort();
}

const KernelTransforms& kernelTransforms(Form) { std::abort(); }

}  // namespace fovea::cpu::winograd

#endif

namespace fovea::cpu::winograd {

template const ImageTransforms<float>& imageTransforms<float>(Form);
template const ImageTransforms<BFloat16>& imageTransforms<BFloat16>(Form);

}  // namespace fovea::cpu::winograd
