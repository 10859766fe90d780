#include "cpu/gemm_tile.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "cpu/simd.h"

/**
 * @file
 * A register tile that leaves a few vector registers for operands: with AVX-512 up to 14 rows by 32 columns (28 of 32
 * registers hold sums), with AVX2 up to 6 rows by 16 columns (12 of 16). Every vector of the right operand is used once
 * a row, every broadcast element of the left one twice. AVX2 takes two products a round of the loop: where another
 * hardware thread shares the core, instructions that count loops are what it waits for (74 to 85 GFLOP/s of 96).
 */
#if defined(__x86_64__) && defined(__GNUC__)

namespace fovea::cpu {

#define FOVEA_BODY "cpu/gemm_tile_body.h"
#include "cpu/each_simd.h"

void gemmPanel(const float* a, int64_t rowStride, int64_t columnStride, int64_t rows, const float* b, int64_t k,
               float* c, int64_t ldc, bool accumulate, const float* next) {
  static const auto run = wide() ? avx512::gemmPanel : avx2::gemmPanel;
  run(a, rowStride, columnStride, rows, b, k, c, ldc, accumulate, next);
}

}  // namespace fovea::cpu

#else

namespace fovea::cpu {

void gemmPanel(const float*, int64_t, int64_t, int64_t, const float*, int64_t, float*, int64_t, bool, const float*) {
  std::abort();
}

}  // namespace fovea::cpu

#endif
