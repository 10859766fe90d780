#include "cpu/gemm_tile.h"

#include <cstdlib>

/**
 * @file
 * A register tile of up to 14 rows by 32 columns: 28 of the 32 vector registers hold sums, so that every vector of the
 * right operand is used 14 times and every broadcast element of the left one twice.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4")

namespace fovea::cpu {
namespace {

constexpr int kMostRows = 14;
using Vector = float __attribute__((vector_size(64)));
using Loose = float __attribute__((vector_size(64), aligned(4)));

/** kUnit: the row stride is 1, and offsets are constants. */
template <int kRows, bool kUnit>
void tile(const float* a, int64_t rowStride, int64_t columnStride, const float* b, int64_t k, float* c, int64_t ldc,
          bool accumulate) {
  Vector s[kRows][2];
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i) {
    s[i][0] = s[i][1] = Vector{};
  }
  // Rows go by threes from five pointers: x86 addresses reach 0, 1 and 2 strides from each.
  const int64_t rs = kUnit ? 1 : rowStride;
  const float *a0 = a, *a1 = a + 3 * rs, *a2 = a + 6 * rs, *a3 = a + 9 * rs, *a4 = a + 12 * rs;
  for (int64_t p = 0; p < k; ++p) {
    const Vector b0 = *reinterpret_cast<const Loose*>(b), b1 = *reinterpret_cast<const Loose*>(b + 16);
#pragma GCC unroll 14
    for (int i = 0; i < kRows; ++i) {
      const float* base = i < 3 ? a0 : i < 6 ? a1 : i < 9 ? a2 : i < 12 ? a3 : a4;
      const float v = base[i % 3 * rs];
      s[i][0] += v * b0;
      s[i][1] += v * b1;
    }
    b += kPanel;
    a0 += columnStride;
    a1 += columnStride;
    a2 += columnStride;
    a3 += columnStride;
    a4 += columnStride;
  }
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i) {
    auto* to = reinterpret_cast<Loose*>(c + i * ldc);
    auto* next = reinterpret_cast<Loose*>(c + i * ldc + 16);
    *to = accumulate ? *to + s[i][0] : s[i][0];
    *next = accumulate ? *next + s[i][1] : s[i][1];
  }
}

using Tile = void (*)(const float*, int64_t, int64_t, const float*, int64_t, float*, int64_t, bool);

template <bool kUnit>
Tile tileOf(int64_t rows) {
  static constexpr Tile kTiles[] = {tile<1, kUnit>,  tile<2, kUnit>,  tile<3, kUnit>,  tile<4, kUnit>, tile<5, kUnit>,
                                    tile<6, kUnit>,  tile<7, kUnit>,  tile<8, kUnit>,  tile<9, kUnit>, tile<10, kUnit>,
                                    tile<11, kUnit>, tile<12, kUnit>, tile<13, kUnit>, tile<14, kUnit>};
  return kTiles[rows - 1];
}

}  // namespace

bool hasAvx512() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  return has;
}

void gemmPanel(const float* a, int64_t rowStride, int64_t columnStride, int64_t rows, const float* b, int64_t k,
               float* c, int64_t ldc, bool accumulate) {
  // Blocks of nearly equal height: a last one of few rows would waste the tile.
  const int64_t blocks = (rows + kMostRows - 1) / kMostRows;
  for (int64_t i = 0; i < blocks; ++i) {
    const int64_t from = rows * i / blocks, to = rows * (i + 1) / blocks;
    const Tile tile = rowStride == 1 ? tileOf<true>(to - from) : tileOf<false>(to - from);
    tile(a + from * rowStride, rowStride, columnStride, b, k, c + from * ldc, ldc, accumulate);
  }
}

}  // namespace fovea::cpu

#pragma GCC pop_options

#else

namespace fovea::cpu {

bool hasAvx512() { return false; }
void gemmPanel(const float*, int64_t, int64_t, int64_t, const float*, int64_t, float*, int64_t, bool) { std::abort(); }

}  // namespace fovea::cpu

#endif
