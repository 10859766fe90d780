// No #pragma once: indirect_tile.cc has each_simd.h compile this for every instruction set.

constexpr bool kWideVectors = kLanes == 16;
/** Vectors across a panel, rows of a tile across it, and of a tile of fewer vectors. */
constexpr int kVectors = kWideVectors ? 2 : 3, kMostRows = kWideVectors ? 12 : 4, kNarrowRows = kWideVectors ? 12 : 6;
/** Products of a row and a tap that one round of the loop takes. */
constexpr int kUnroll = 4;

constexpr int64_t kColumns = kLanes * kVectors;

using Vector = float __attribute__((vector_size(kLanes * 4)));
using Loose = float __attribute__((vector_size(kLanes * 4), aligned(4)));

template <int kRows, int kWide>
using Sums = Vector[kRows][kWide];

/** s[i] += left(i) times the row of the panel at b. */
template <int kRows, int kWide, class Left>
FOVEA_INLINE void addProducts(Sums<kRows, kWide>& s, const float* b, const Left& left) {
  Vector v[kWide];
#pragma GCC unroll 3
  for (int j = 0; j < kWide; ++j) v[j] = *reinterpret_cast<const Loose*>(b + j * kLanes);
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i) {
    const float f = left(i);
#pragma GCC unroll 3
    for (int j = 0; j < kWide; ++j) s[i][j] += f * v[j];
  }
}

template <int kRows, int kWide>
FOVEA_INLINE void clear(Sums<kRows, kWide>& s) {
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kWide; ++j) s[i][j] = Vector{};
  }
}

/**
 * Sums of a tile that is not whole, in memory: what is written from there is compiled once, not anew for every tile,
 * and takes the vectors that fit and then single elements.
 */
struct Ragged {
  alignas(64) float rows[std::max(kMostRows, kNarrowRows)][kColumns];
};

template <int kRows, int kWide>
FOVEA_INLINE void keep(const Sums<kRows, kWide>& s, Ragged& to) {
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kWide; ++j) *reinterpret_cast<Vector*>(to.rows[i] + j * kLanes) = s[i][j];
  }
}

/** What lies at `from`, as a float or a vector like `value`. */
template <class Value>
FOVEA_INLINE Value like(const Value&, const float* from) {
  if constexpr (sizeof(Value) == sizeof(float)) {
    return *from;
  } else {
    return *reinterpret_cast<const Loose*>(from);
  }
}

/** Past the caches, to where a line of them begins. */
template <class Value>
FOVEA_INLINE void stream(float* to, Value v) {
#ifdef FOVEA_PAIRED_VECTORS
  using Half = float __attribute__((vector_size(32)));
  for (int i = 0; i < 2; ++i) {
    Half half;
    __builtin_memcpy(&half, reinterpret_cast<const char*>(&v) + i * sizeof(Half), sizeof(Half));
    __builtin_ia32_movntps256(to + i * kLanes / 2, half);
  }
#else
  __builtin_ia32_movntps512(to, v);
#endif
}

/** Sums for the columns from j on of a row that begins at `at`: with all that is added to them. */
template <bool kStream = false, class Value>
FOVEA_INLINE void finish(Value v, const IndirectProduct& p, int64_t at, int64_t j) {
  float* y = p.y + at + j;
  if (p.accumulate) v += like(v, y);
  if (p.bias != nullptr) v += like(v, p.bias + p.column + j);
  if (p.residual != nullptr) v += like(v, p.residual + at + j);
  if (p.relu) v = v <= 0 ? Value{} : v;  // Keeps NaN.
  if constexpr (sizeof(Value) == sizeof(float)) {
    *y = v;
  } else if constexpr (kStream) {
    stream(y, v);
  } else {
    *reinterpret_cast<Loose*>(y) = v;
  }
}

__attribute__((noipa)) void finishRagged(const Ragged& sums, const IndirectProduct& p, int64_t first, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i) {
    const float* from = sums.rows[i];
    const int64_t at = p.to[first + i] + p.column;
    int64_t j = 0;
    for (; j + kLanes <= p.columns; j += kLanes) finish(*reinterpret_cast<const Vector*>(from + j), p, at, j);
    for (; j < p.columns; ++j) finish(from[j], p, at, j);
  }
}

__attribute__((noipa)) void storeRagged(const Ragged& sums, int64_t rows, float* y, int64_t ldy, int64_t columns,
                                        bool accumulate) {
  for (int64_t i = 0; i < rows; ++i, y += ldy) {
    for (int64_t j = 0; j < columns; ++j) y[j] = accumulate ? y[j] + sums.rows[i][j] : sums.rows[i][j];
  }
}

/**
 * Rows from `first` on. Fetched meanwhile: rows from `next` on, a line of each for 16 products, and what lies at
 * `fetch` and, every round of the loop, `step` bytes on.
 */
template <int kRows, int kWide>
void indirectTile(const IndirectProduct& p, int64_t first, int64_t next, const char* fetch, int64_t step) {
  constexpr int kRounds = 16 / kUnroll, kFetched = (kRows + kRounds - 1) / kRounds;
  Sums<kRows, kWide> s;
  clear<kRows, kWide>(s);
  const float* b = p.panel;
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i) {  // Where the sums will go: a write waits for its line as a read does.
    const int64_t at = p.to[first + i] + p.column;
    for (int64_t j = 0; j < kWide * kLanes && !p.streams; j += kLineFloats) __builtin_prefetch(p.y + at + j, 1, 3);
    if (p.residual == nullptr) continue;
    for (int64_t j = 0; j < kWide * kLanes; j += kLineFloats) __builtin_prefetch(p.residual + at + j, 0, 3);
  }
  for (int64_t t = 0; t < p.taps; ++t) {
    const float* a[kRows];
#pragma GCC unroll 14
    for (int i = 0; i < kRows; ++i) a[i] = p.rows[t * p.stride + first + i] + p.offset;
    int64_t k = 0;
    for (; k + kUnroll <= p.depth; k += kUnroll, b += kUnroll * kColumns, fetch += step) {
      __builtin_prefetch(fetch, 0, 2);
      const int64_t round = k / kUnroll % kRounds * kFetched;
#pragma GCC unroll 3
      for (int i = 0; i < kFetched; ++i) {
        __builtin_prefetch(p.rows[t * p.stride + next + std::min<int64_t>(round + i, kRows - 1)] + p.offset + k, 0, 2);
      }
#pragma GCC unroll 4
      for (int u = 0; u < kUnroll; ++u) {
        addProducts<kRows, kWide>(s, b + u * kColumns, [&](int i) FOVEA_FORCE { return a[i][k + u]; });
      }
    }
    for (; k < p.depth; ++k, b += kColumns) {
      addProducts<kRows, kWide>(s, b, [&](int i) FOVEA_FORCE { return a[i][k]; });
    }
  }
  if (p.columns < kWide * kLanes) {
    Ragged sums;
    keep<kRows, kWide>(s, sums);
    return finishRagged(sums, p, first, kRows);
  }
  const auto finishAll = [&](auto streams) FOVEA_FORCE {
#pragma GCC unroll 14
    for (int i = 0; i < kRows; ++i) {
      const int64_t at = p.to[first + i] + p.column;
#pragma GCC unroll 3
      for (int j = 0; j < kWide; ++j) finish<streams>(s[i][j], p, at, j * kLanes);
    }
  };
  if constexpr (kWideVectors) {  // A line each.
    if (p.streams) return finishAll(std::true_type{});
  }
  finishAll(std::false_type{});
}

template <int kRows, int kWide>
void packedTile(const float* a, const float* panel, int64_t depth, float* y, int64_t ldy, int64_t columns,
                bool accumulate) {
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i) {
    for (int64_t j = 0; j < kWide * kLanes; j += kLineFloats) __builtin_prefetch(y + i * ldy + j, 1, 3);
  }
  Sums<kRows, kWide> s;
  clear<kRows, kWide>(s);
  int64_t p = 0;
  for (; p + kUnroll <= depth; p += kUnroll, a += kUnroll * kRows, panel += kUnroll * kColumns) {
#pragma GCC unroll 4
    for (int u = 0; u < kUnroll; ++u) {
      addProducts<kRows, kWide>(s, panel + u * kColumns, [&](int i) FOVEA_FORCE { return a[u * kRows + i]; });
    }
  }
  for (; p < depth; ++p, a += kRows, panel += kColumns) {
    addProducts<kRows, kWide>(s, panel, [&](int i) FOVEA_FORCE { return a[i]; });
  }
  if (columns < kWide * kLanes) {
    Ragged sums;
    keep<kRows, kWide>(s, sums);
    return storeRagged(sums, kRows, y, ldy, columns, accumulate);
  }
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i, y += ldy) {
#pragma GCC unroll 3
    for (int j = 0; j < kWide; ++j) {
      auto* to = reinterpret_cast<Loose*>(y + j * kLanes);
      *to = accumulate ? *to + s[i][j] : s[i][j];
    }
  }
}

template <int kRows>
void packTile(const float* const* rows, int64_t offset, int64_t depth, float* to) {
  for (int64_t p = 0; p < depth; ++p, to += kRows) __builtin_memcpy(to, rows[p] + offset, kRows * sizeof(float));
}

/** The tiles of kWide vectors by their number of rows. */
template <int kWide, int... kRows>
auto indirectTileOf(int64_t rows, std::integer_sequence<int, kRows...>) {
  static constexpr decltype(&indirectTile<1, 1>) kTiles[] = {indirectTile<kRows + 1, kWide>...};
  return kTiles[rows - 1];
}
template <int kWide, int... kRows>
auto packedTileOf(int64_t rows, std::integer_sequence<int, kRows...>) {
  static constexpr decltype(&packedTile<1, 1>) kTiles[] = {packedTile<kRows + 1, kWide>...};
  return kTiles[rows - 1];
}
template <int... kRows>
auto packTileOf(int64_t rows, std::integer_sequence<int, kRows...>) {
  static constexpr decltype(&packTile<1>) kTiles[] = {packTile<kRows + 1>...};
  return kTiles[rows - 1];
}

template <int kWide>
void indirectTiles(const IndirectProduct& p) {
  constexpr int kRows = kWide == kVectors ? kMostRows : kNarrowRows;
  // Tiles of nearly equal height: a last one of few rows would waste the registers.
  const int64_t tiles = (p.count + kRows - 1) / kRows, rounds = p.taps * std::max<int64_t>(p.depth / kUnroll, 1);
  const int64_t bytes = p.taps * p.depth * kColumns * static_cast<int64_t>(sizeof(float)),
                step = bytes / (tiles * rounds);
  const auto* fetch = reinterpret_cast<const char*>(p.next);
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t from = p.count * i / tiles, to = p.count * (i + 1) / tiles;
    const int64_t next = to + kRows <= p.count ? to : 0;  // After the last, the next panel begins again.
    indirectTileOf<kWide>(to - from, std::make_integer_sequence<int, kRows>{})(p, from, next, fetch, step);
    fetch += rounds * step;
  }
}

template <int... kWide>
void indirectByWidth(const IndirectProduct& p, std::integer_sequence<int, kWide...>) {
  static constexpr decltype(&indirectTiles<1>) kRuns[] = {indirectTiles<kWide + 1>...};
  kRuns[(p.columns - 1) / kLanes](p);
}
void indirectProduct(const IndirectProduct& p) { indirectByWidth(p, std::make_integer_sequence<int, kVectors>{}); }

constexpr std::make_integer_sequence<int, kMostRows> kAllRows{};

template <int... kWide>
auto packedByWidth(int64_t rows, int64_t columns, std::integer_sequence<int, kWide...>) {
  const decltype(&packedTile<1, 1>) tiles[] = {packedTileOf<kWide + 1>(rows, kAllRows)...};
  return tiles[(columns - 1) / kLanes];
}
void tileProduct(const float* a, int64_t rows, const float* panel, int64_t depth, float* y, int64_t ldy,
                 int64_t columns, bool accumulate) {
  const auto run = packedByWidth(rows, columns, std::make_integer_sequence<int, kVectors>{});
  run(a, panel, depth, y, ldy, columns, accumulate);
}

void packRows(const float* const* rows, int64_t offset, int64_t depth, int64_t count, float* to) {
  packTileOf(count, kAllRows)(rows, offset, depth, to);
}

void packColumns(const float* from, int64_t ld, int64_t rows, int64_t columns, float* to, int64_t panelFloats) {
  for (; columns >= kColumns; columns -= kColumns, from += kColumns, to += panelFloats) {
    for (int64_t p = 0; p < rows; ++p) __builtin_memcpy(to + p * kColumns, from + p * ld, kColumns * sizeof(float));
  }
  if (columns == 0) return;
  for (int64_t p = 0; p < rows; ++p) {
    for (int64_t j = 0; j < kColumns; ++j) to[p * kColumns + j] = j < columns ? from[p * ld + j] : 0.0f;
  }
}
