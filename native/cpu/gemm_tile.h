#pragma once

#include <cstdint>

/** @file The product behind own convolutions, for processors with AVX-512 or AVX2. */
namespace fovea::cpu {

inline constexpr int64_t kPanel = 32;  ///< Columns of a packed panel of the right operand.

/**
 * c[i][j] (+)= sum over p < k of a[i * rowStride + p * columnStride] * b[p][j], for i < rows and j < kPanel. `b` is a
 * panel of k rows of kPanel floats; c has rows of stride ldc. `next` is the panel that will be used after it: rows of
 * another stride than 1 bring it near meanwhile; where few rows share a panel, waiting for memory is most of the work
 * otherwise. Not to be called where `simd()` is none.
 */
void gemmPanel(const float* a, int64_t rowStride, int64_t columnStride, int64_t rows, const float* b, int64_t k,
               float* c, int64_t ldc, bool accumulate, const float* next = nullptr);

}  // namespace fovea::cpu
