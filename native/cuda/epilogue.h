#pragma once

#include "core/tensor_desc.h"
#include "cuda/kernel.h"

namespace fovea::cuda {

/**
 * y = relu(y + bias) in place over rows of `channels`, both steps where asked for.
 *
 * @param bias null for none; of `biasType`, which is y's or float32
 */
void biasActivation(Context& context, const char* op, void* y, DType type, int64_t rows, int64_t channels,
                    const void* bias, DType biasType, bool relu);

/** What is left of a product or a convolution that sums nothing: y is the bias (the last input), or 0, with ReLU. */
KernelPtr makeEpilogueOfZeros(Context& context, const char* op, const TensorDesc& y, const TensorDesc* bias, bool relu);

}  // namespace fovea::cuda
