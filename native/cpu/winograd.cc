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
const ImageTransforms<T>& imageTransforms() {
  return wide() ? avx512::kImageTransforms<T> : avx2::kImageTransforms<T>;
}

const KernelTransforms& kernelTransforms() { return wide() ? avx512::kKernelTransforms : avx2::kKernelTransforms; }

}  // namespace fovea::cpu::winograd

#else

namespace fovea::cpu::winograd {

template <class T>
const ImageTransforms<T>& imageTransforms() {
  std::abort();
}

const KernelTransforms& kernelTransforms() { std::abort(); }

}  // namespace fovea::cpu::winograd

#endif

namespace fovea::cpu::winograd {

template const ImageTransforms<float>& imageTransforms<float>();
template const ImageTransforms<BFloat16>& imageTransforms<BFloat16>();

}  // namespace fovea::cpu::winograd
