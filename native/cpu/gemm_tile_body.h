// No #pragma once: gemm_tile.cc has each_simd.h compile this for every instruction set.

constexpr bool kWideVectors = kLanes == 16;
/** Vectors across a tile, its rows, and products of a row that one round of the loop takes. */
constexpr int kVectors = 2, kMostRows = kWideVectors ? 14 : 6, kUnroll = kWideVectors ? 1 : 2;

using Vector = float __attribute__((vector_size(kLanes * 4)));
using Loose = float __attribute__((vector_size(kLanes * 4), aligned(4)));

/** What is fetched meanwhile: a line a round of the loop, `step` bytes on every time. */
struct Fetch {
  const char* from;
  int64_t step;
};

/** A tile of kRows rows and kVectors vectors. kUnit: the row stride is 1, offsets are constants, nothing is fetched. */
template <int kRows, bool kUnit>
void tile(const float* a, int64_t rowStride, int64_t columnStride, const float* b, int64_t k, float* c, int64_t ldc,
          bool accumulate, Fetch fetch) {
  Vector s[kRows][kVectors];
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) s[i][j] = Vector{};
  }
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i) {  // Where the sums will go: a write waits for its line as a read does.
    for (int64_t j = 0; j < kVectors * kLanes; j += kLineFloats) __builtin_prefetch(c + i * ldc + j, 1, 3);
  }
  // Rows go by threes from five pointers: x86 addresses reach 0, 1 and 2 strides from each.
  const int64_t rs = kUnit ? 1 : rowStride;
  const float *a0 = a, *a1 = a + 3 * rs, *a2 = a + 6 * rs, *a3 = a + 9 * rs, *a4 = a + 12 * rs;
  const auto add = [&](int64_t ahead, int u) FOVEA_FORCE {
    Vector v[kVectors];
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) v[j] = *reinterpret_cast<const Loose*>(b + u * kPanel + j * kLanes);
#pragma GCC unroll 14
    for (int i = 0; i < kRows; ++i) {
      const float* base = i < 3 ? a0 : i < 6 ? a1 : i < 9 ? a2 : i < 12 ? a3 : a4;
      const float f = base[i % 3 * rs + ahead];
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) s[i][j] += f * v[j];
    }
  };
  const auto advance = [&](int64_t columns) FOVEA_FORCE {
    b += columns * kPanel;
    a0 += columns * columnStride;
    a1 += columns * columnStride;
    a2 += columns * columnStride;
    a3 += columns * columnStride;
    a4 += columns * columnStride;
  };
  int64_t p = 0;
  for (; p + kUnroll <= k; p += kUnroll) {
#pragma GCC unroll 4
    for (int u = 0; u < kUnroll; ++u) add(u * columnStride, u);
    advance(kUnroll);
    if constexpr (!kUnit) {
      __builtin_prefetch(fetch.from, 0, 2);
      fetch.from += fetch.step;
    }
  }
  for (; p < k; ++p) {
    add(0, 0);
    advance(1);
  }
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      auto* to = reinterpret_cast<Loose*>(c + i * ldc + j * kLanes);
      *to = accumulate ? *to + s[i][j] : s[i][j];
    }
  }
}

using Tile = void (*)(const float*, int64_t, int64_t, const float*, int64_t, float*, int64_t, bool, Fetch);

template <bool kUnit, int... kRows>
Tile tileOf(int64_t rows, std::integer_sequence<int, kRows...>) {
  static constexpr Tile kTiles[] = {tile<kRows + 1, kUnit>...};
  return kTiles[rows - 1];
}

void gemmPanel(const float* a, int64_t rowStride, int64_t columnStride, int64_t rows, const float* b, int64_t k,
               float* c, int64_t ldc, bool accumulate, const float* next) {
  // Blocks of nearly equal height: a last one of few rows would waste the tile.
  const int64_t blocks = (rows + kMostRows - 1) / kMostRows, columnsAtOnce = kVectors * kLanes;
  const int64_t rounds = blocks * (kPanel / columnsAtOnce) * std::max<int64_t>(k / kUnroll, 1);
  Fetch fetch{reinterpret_cast<const char*>(next == nullptr ? b : next),
              k * kPanel * static_cast<int64_t>(sizeof(float)) / rounds};
  for (int64_t column = 0; column < kPanel; column += columnsAtOnce) {
    for (int64_t i = 0; i < blocks; ++i) {
      const int64_t from = rows * i / blocks, to = rows * (i + 1) / blocks;
      constexpr std::make_integer_sequence<int, kMostRows> all{};
      const Tile run = rowStride == 1 ? tileOf<true>(to - from, all) : tileOf<false>(to - from, all);
      run(a + from * rowStride, rowStride, columnStride, b + column, k, c + from * ldc + column, ldc, accumulate,
          fetch);
      fetch.from += k / kUnroll * fetch.step;
    }
  }
}
