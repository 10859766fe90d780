#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "core/bfloat16.h"
#include "core/float16.h"
#include "cuda/kernels/block.h"

/**
 * @file
 * Elements in memory and the numbers that kernels compute with. Kernels are templates over the storage type: float,
 * BFloat16 or Float16 are widened to float when loaded and rounded once when stored.
 */
namespace fovea::cuda {

FOVEA_HD float load(float v) { return v; }
FOVEA_HD float load(BFloat16 v) { return toFloat(v); }
FOVEA_HD float load(Float16 v) {
#if defined(__CUDA_ARCH__)
  float f;
  asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(v.bits));
  return f;
#else
  return toFloat(v);
#endif
}

FOVEA_HD void store(float* to, float v) { *to = v; }
FOVEA_HD void store(BFloat16* to, float v) { *to = toBFloat16(v); }
FOVEA_HD void store(Float16* to, float v) {
#if defined(__CUDA_ARCH__)
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(to->bits) : "f"(v));
#else
  *to = toFloat16(v);
#endif
}

/** Truncates toward zero, saturates; NaN gives 0. */
FOVEA_HD int32_t truncateToInt(float x) {
  if (x != x) return 0;
  if (x >= 2147483648.0f) return 2147483647;
  if (x < -2147483648.0f) return -2147483647 - 1;
  return static_cast<int32_t>(x);
}

/** Four neighbouring elements that move in one instruction, where they are aligned. */
template <class T>
struct alignas(4 * sizeof(T)) Four {
  T v[4];
};

/** Whether all pointers are aligned for a Four of any type. */
template <class... T>
FOVEA_HD bool takesFours(const T*... pointers) {
  return ((reinterpret_cast<uintptr_t>(pointers) % 16 == 0) && ...);
}

template <class T>
FOVEA_HD void loadFour(const T* x, float* v) {
  const Four<T> four = *reinterpret_cast<const Four<T>*>(x);
  for (int l = 0; l < 4; ++l) v[l] = load(four.v[l]);
}

template <class T>
FOVEA_HD void storeFour(T* y, const float* v) {
  Four<T> four;
  for (int l = 0; l < 4; ++l) store(four.v + l, v[l]);
  *reinterpret_cast<Four<T>*>(y) = four;
}

/** Sixteen bytes that move in one instruction. */
template <class T>
struct alignas(16) Pack {
  static constexpr int kSize = 16 / sizeof(T);
  T v[kSize];
};

}  // namespace fovea::cuda
