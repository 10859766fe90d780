#include "cpu/indirect_tile.h"

#include <algorithm>
#include <cstdlib>
#include <type_traits>
#include <utility>

#include "cpu/simd.h"

/**
 * @file
 * As in gemm_tile.cc, a tile's sums leave a few vector registers for operands. With AVX2 they are 4 rows by 24 columns:
 * of all shapes with 12 sums one with the fewest instructions a product, which count where another hardware thread
 * shares the core. With AVX-512, 12 rows by 32 columns; the twelve pointers do not stay in general registers, so that a
 * round of the loop takes four products.
 */
#if defined(__x86_64__) && defined(__GNUC__)

namespace fovea::cpu {

#define FOVEA_BODY "cpu/indirect_tile_body.h"
#include "cpu/each_simd.h"

TileShape tileShape() {
  return wide() ? TileShape{avx512::kMostRows, avx512::kColumns} : TileShape{avx2::kMostRows, avx2::kColumns};
}

void indirectProduct(const IndirectProduct& p) {
  static const auto run = wide() ? avx512::indirectProduct : avx2::indirectProduct;
  run(p);
}

void tileProduct(const float* a, int64_t rows, const float* panel, int64_t depth, float* y, int64_t ldy,
                 int64_t columns, bool accumulate) {
  static const auto run = wide() ? avx512::tileProduct : avx2::tileProduct;
  run(a, rows, panel, depth, y, ldy, columns, accumulate);
}

void packRows(const float* const* rows, int64_t offset, int64_t depth, int64_t count, float* to) {
  static const auto run = wide() ? avx512::packRows : avx2::packRows;
  run(rows, offset, depth, count, to);
}

void packColumns(const float* from, int64_t ld, int64_t rows, int64_t columns, float* to, int64_t panelFloats) {
  static const auto run = wide() ? avx512::packColumns : avx2::packColumns;
  run(from, ld, rows, columns, to, panelFloats);
}

}  // namespace fovea::cpu

#else

namespace fovea::cpu {

TileShape tileShape() { return {1, 1}; }
void indirectProduct(const IndirectProduct&) { std::abort(); }
void tileProduct(const float*, int64_t, const float*, int64_t, float*, int64_t, int64_t, bool) { std::abort(); }
void packRows(const float* const*, int64_t, int64_t, int64_t, float*) { std::abort(); }
void packColumns(const float*, int64_t, int64_t, int64_t, float*, int64_t) { std::abort(); }

}  // namespace fovea::cpu

#endif
