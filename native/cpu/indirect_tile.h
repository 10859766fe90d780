#pragma once

#include <cstdint>

/**
 * @file
 * Register tiles of products whose left rows lie anywhere, for processors with AVX-512 or AVX2: see "The Indirect
 * Convolution Algorithm" (Dukhan 2019). Not to be called where `simd()` is none.
 */
namespace fovea::cpu {

/** Shape of this processor's tile, in floats. */
struct TileShape {
  int64_t rows, columns;
};
TileShape tileShape();

/**
 * Rows of y from rows of values that pointers name: y[to[i] + column + j] (+)= sum over t < taps and p < depth of
 * rows[t * stride + i][offset + p] * panel[t * depth + p][j], for i < count and j < columns.
 */
struct IndirectProduct {
  const float* const* rows;
  int64_t stride, count, taps, depth, offset;
  const float* panel;  ///< Rows of tileShape().columns floats.
  const float* next;   ///< The panel that is used after it, which is brought near meanwhile.
  float* y;
  const int64_t* to;
  int64_t column, columns;
  bool accumulate;
  /** What is added to the sum: columns of `bias`, and values at the places of y; null for none. Then ReLU. */
  const float *bias, *residual;
  bool relu;
  /**
   * Whole vectors are written past the caches (streaming.h), for which they have to be whole lines: not with
   * `accumulate`. finishStreaming() comes after the last product.
   */
  bool streams;
};
void indirectProduct(const IndirectProduct&);

/**
 * y[i * ldy + j] (+)= sum over p < depth of a[p][i] * panel[p][j], for i < rows and j < columns: `a` holds depth rows
 * of `rows` floats, at most tileShape().rows.
 */
void tileProduct(const float* a, int64_t rows, const float* panel, int64_t depth, float* y, int64_t ldy,
                 int64_t columns, bool accumulate);

/** to[p][i] = rows[p][offset + i], for p < depth and i < count <= tileShape().rows. */
void packRows(const float* const* rows, int64_t offset, int64_t depth, int64_t count, float* to);

/**
 * A matrix of rows of stride ld as panels: panel j's row p is columns j * tileShape().columns and on of row p, with
 * zeros past the last; panels lie panelFloats apart.
 */
void packColumns(const float* from, int64_t ld, int64_t rows, int64_t columns, float* to, int64_t panelFloats);

}  // namespace fovea::cpu
