#pragma once

#include "core/descriptors.h"
#include "cuda/kernel.h"

namespace fovea::cuda {

/** What comes after a product or a convolution; null pointers for what does not. */
struct Epilogue {
  const void* bias = nullptr;
  DType biasType = DType::kFloat32;  ///< y's, or float32.
  const void* residual = nullptr;    ///< Like y.
  bool relu = false;
};

/** y = relu(y + bias + residual) in place over rows of `channels`, those steps that are asked for. */
void finish(Context& context, const char* op, void* y, DType type, int64_t rows, int64_t channels,
            const Epilogue& epilogue);

/**
 * What is left of a product or a convolution that sums nothing: y is the bias (the third input) and the residual (the
 * last one), or 0, with ReLU.
 */
KernelPtr makeEpilogueOfZeros(Context& context, const char* op, const Operands& operands, bool bias, bool residual,
                              bool relu);

}  // namespace fovea::cuda
