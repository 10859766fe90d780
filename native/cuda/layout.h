#pragma once

#include <array>
#include <cstdint>

#include "core/tensor_desc.h"
#include "cuda/kernel.h"

/** @file Moving elements: boxes, transpositions, conversions; for kernels of docs/kernels.md and within others. */
namespace fovea::cuda {

/** A box between two arrays, ready to be copied. Extents and strides are in bytes, so it knows no dtype. */
class Box {
 public:
  /** The box `size` at `fromBegin` of an array of shape `fromDims` goes to `toBegin` of one of shape `toDims`. */
  Box(const Dims& size, const Dims& fromDims, const Dims& fromBegin, const Dims& toDims, const Dims& toBegin,
      size_t element);
  /** Everything, in row-major order of `dims`; `fromStrides` in elements: a transposition. */
  Box(const Dims& dims, const Dims& fromStrides, size_t element);

  void copy(Context& context, const char* op, const void* x, void* y) const;

 private:
  void append(int64_t size, int64_t from, int64_t to);

  Dims dims_, from_, to_;  ///< Outermost first; the last is a run of bytes.
  int64_t fromOffset_ = 0, toOffset_ = 0;
};

/** y is x with `value` around it; `value` is converted as docs/kernels.md has it for `pad`. */
class Padding {
 public:
  Padding(DType dtype, const Dims& xDims, const Dims& yDims, const Dims& before, double value);
  void run(Context& context, const char* op, const void* x, void* y) const;

 private:
  Dims dims_, begin_, size_, strides_;  ///< In bytes along the last axis, merged; y's dims, the box, x's strides.
  std::array<unsigned char, 16> pattern_{};
};

/** y axis i is x axis perm[i]. */
class Transposition {
 public:
  Transposition(const Dims& xDims, const Dims& perm, size_t element);
  void run(Context& context, const char* op, const void* x, void* y) const;

 private:
  Dims dims_, strides_;  ///< y's axes, merged, and x's strides along them.
  size_t element_;
  int64_t size_;
};

/**
 * y[b][j][i] = x[b][i][j] for x [batch, rows, columns], from one floating-point dtype to another or the same.
 *
 * @throws ERR_UNSUPPORTED from bfloat16 to float16 and back
 */
void transposeMatrices(Context& context, const char* op, const void* x, DType from, void* y, DType to, int64_t batch,
                       int64_t rows, int64_t columns);

/** A convolution kernel from HWIO [h, w, i, o] to OHWI, the layout cuDNN's NHWC engines want; `hwi` = h * w * i. */
inline void hwioToOhwi(Context& context, const char* op, const void* x, DType from, void* y, DType to, int64_t hwi,
                       int64_t o) {
  transposeMatrices(context, op, x, from, y, to, 1, hwi, o);
}
/** And back. */
inline void ohwiToHwio(Context& context, const char* op, const void* x, DType from, void* y, DType to, int64_t hwi,
                       int64_t o) {
  transposeMatrices(context, op, x, from, y, to, 1, o, hwi);
}

/**
 * y = x over n elements, from one floating-point dtype to another or the same.
 *
 * @throws ERR_UNSUPPORTED from bfloat16 to float16 and back
 */
void convertElements(Context& context, const char* op, const void* x, DType from, void* y, DType to, int64_t n);

}  // namespace fovea::cuda
