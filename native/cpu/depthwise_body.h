// No #pragma once: conv_depthwise.cc has each_simd.h compile this for every instruction set.

#include "cpu/vectors_body.h"

/**
 * dw[kx * c + j] += the sum over `count` outputs of x[kx * tap + j] * dy[j], for kWide vectors from j = 0: x moves on
 * by `step` from output to output, dy by c. All sums stay in registers.
 */
template <int kTaps, int kWide, class T>
FOVEA_INLINE void addTaps(const T* x, int64_t step, int64_t tap, const T* dy, int64_t count, int64_t c, float* dw) {
  Vector sums[kTaps][kWide];
#pragma GCC unroll 5
  for (int t = 0; t < kTaps; ++t) {
#pragma GCC unroll 3
    for (int j = 0; j < kWide; ++j) sums[t][j] = Vector{};
  }
  for (int64_t i = 0; i < count; ++i, x += step, dy += c) {
    Vector d[kWide];
#pragma GCC unroll 3
    for (int j = 0; j < kWide; ++j) d[j] = load(dy + j * kLanes, kLanes);
#pragma GCC unroll 5
    for (int t = 0; t < kTaps; ++t) {
#pragma GCC unroll 3
      for (int j = 0; j < kWide; ++j) {
        sums[t][j] += load(x + t * tap + j * kLanes, kLanes) * d[j];
      }
    }
  }
#pragma GCC unroll 5
  for (int t = 0; t < kTaps; ++t) {
#pragma GCC unroll 3
    for (int j = 0; j < kWide; ++j) *reinterpret_cast<Loose*>(dw + t * c + j * kLanes) += sums[t][j];
  }
}

/** The same for all channels. */
template <int kTaps, int kWide, class T>
void addRow(const T* x, int64_t step, int64_t tap, const T* dy, int64_t count, int64_t c, float* dw) {
  int64_t j = 0;
  for (; j + kWide * kLanes <= c; j += kWide * kLanes) {
    addTaps<kTaps, kWide>(x + j, step, tap, dy + j, count, c, dw + j);
  }
  for (; j + kLanes <= c; j += kLanes) addTaps<kTaps, 1>(x + j, step, tap, dy + j, count, c, dw + j);
  for (; j < c; ++j) {
    for (int t = 0; t < kTaps; ++t) {
      float sum = 0;
      for (int64_t i = 0; i < count; ++i) sum += cpu::load(x[i * step + t * tap + j]) * cpu::load(dy[i * c + j]);
      dw[t * c + j] += sum;
    }
  }
}
