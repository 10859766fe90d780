// No #pragma once: conv_depthwise.cc has each_simd.h compile this for every instruction set.

using Vector = float __attribute__((vector_size(kLanes * 4)));
using Loose = float __attribute__((vector_size(kLanes * 4), aligned(4)));

/**
 * dw[kx * c + j] += the sum over `count` outputs of x[kx * tap + j] * dy[j], for kWide vectors from j = 0: x moves on
 * by `step` from output to output, dy by c. All sums stay in registers.
 */
template <int kTaps, int kWide>
FOVEA_INLINE void addTaps(const float* x, int64_t step, int64_t tap, const float* dy, int64_t count, int64_t c,
                          float* dw) {
  Vector sums[kTaps][kWide];
#pragma GCC unroll 5
  for (int t = 0; t < kTaps; ++t) {
#pragma GCC unroll 3
    for (int j = 0; j < kWide; ++j) sums[t][j] = Vector{};
  }
  for (int64_t i = 0; i < count; ++i, x += step, dy += c) {
    Vector d[kWide];
#pragma GCC unroll 3
    for (int j = 0; j < kWide; ++j) d[j] = *reinterpret_cast<const Loose*>(dy + j * kLanes);
#pragma GCC unroll 5
    for (int t = 0; t < kTaps; ++t) {
#pragma GCC unroll 3
      for (int j = 0; j < kWide; ++j) {
        sums[t][j] += *reinterpret_cast<const Loose*>(x + t * tap + j * kLanes) * d[j];
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
template <int kTaps, int kWide>
void addRow(const float* x, int64_t step, int64_t tap, const float* dy, int64_t count, int64_t c, float* dw) {
  int64_t j = 0;
  for (; j + kWide * kLanes <= c; j += kWide * kLanes) {
    addTaps<kTaps, kWide>(x + j, step, tap, dy + j, count, c, dw + j);
  }
  for (; j + kLanes <= c; j += kLanes) addTaps<kTaps, 1>(x + j, step, tap, dy + j, count, c, dw + j);
  for (; j < c; ++j) {
    for (int t = 0; t < kTaps; ++t) {
      float sum = 0;
      for (int64_t i = 0; i < count; ++i) sum += x[i * step + t * tap + j] * dy[i * c + j];
      dw[t * c + j] += sum;
    }
  }
}
