#pragma once

#include <cstdint>

/**
 * @file
 * Rows of depthwise 3x3 convolutions of stride 1 in NHWC, T float or BFloat16, one filter a channel. A value of the
 * image is read once and added to all outputs of the row, or multiplied with all gradients of it, that it takes part
 * in: these stay in registers.
 */
namespace fovea::cpu {

/** Three rows of an image that a row of outputs reads. Those beyond its edge are zeros. */
template <class T>
struct FilterRows {
  const T* at[3];
  int64_t step[3];     ///< Between columns: of a row of zeros, c of them, 0.
  int64_t columns, c;  ///< Of the image.
  int64_t left;        ///< Columns of zeros before them, 2 at most.
  int64_t ahead;       ///< Values to a later row, which is fetched meanwhile.
};

/** y = the filters' outputs + bias + residual (where given), then ReLU (where asked). */
template <class T>
struct FilterOutputs {
  const float *filters, *bias;  ///< [3,3,c] and [c].
  const T* residual;
  T* y;
  int64_t count;  ///< Columns.
  bool relu;
};

/** The functions for one instruction set; c is at least `lanes`. */
template <class T>
struct FilterLoops {
  int64_t lanes;
  /** One row of outputs. */
  void (*filter)(const FilterRows<T>&, const FilterOutputs<T>&);
  /** Adds to dw [3,3,c] what `count` rows of outputs give: row i reads x[i], gradients follow each other at dy. */
  void (*gradient)(const FilterRows<T>* x, const T* dy, int64_t width, int64_t count, float* dw);
};

/** Those for this processor, or null. */
template <class T>
const FilterLoops<T>* filterLoops();

}  // namespace fovea::cpu
