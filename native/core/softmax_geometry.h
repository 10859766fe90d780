#pragma once

#include <cstddef>
#include <cstdint>

#include "core/check_operands.h"
#include "core/descriptors.h"

/** @file The operands of the softmax kernels and of the cross-entropies, checked and taken apart. */
namespace fovea {

/** Rows of c logits, or of what was made of them. */
struct SoftmaxRows {
  int64_t rows = 0, c = 0;
};

/**
 * softmax, logSoftmax (one input) and their gradients (two): all operands float32 and of one shape.
 *
 * @throws ERR_ARGUMENT where the operands do not fit docs/kernels.md
 */
inline SoftmaxRows parseSoftmax(const char* kernel, const SoftmaxDesc& d, size_t inputs) {
  const Check check(kernel, d);
  check.counts(inputs, 1);
  const TensorDesc& x = d.inputs[0];
  check.floats(x, "an input");
  check.rankAtLeast(x, "an input", 1);
  for (const TensorDesc& t : d.inputs) check.tensor(t, "an input", DType::kFloat32, x.dims);
  check.tensor(d.outputs[0], "an output", DType::kFloat32, x.dims);
  return {product(x.dims, 0, x.dims.size() - 1), x.dims.back()};
}

/**
 * The cross-entropies: logits with labels (`sparse`) or with targets of their shape, and the loss or its gradient.
 *
 * @throws ERR_ARGUMENT where the operands do not fit docs/kernels.md
 */
inline SoftmaxRows parseCrossEntropy(const char* kernel, const SoftmaxDesc& d, bool sparse, bool backward) {
  const Check check(kernel, d);
  check.counts(backward ? 3 : 2, 1);
  const TensorDesc& x = d.inputs[0];
  check.floats(x, "logits");
  check.rank(x, "logits", 2);
  const int64_t n = x.dims[0], c = x.dims[1];
  check.that(c > 0 || n == 0, "one class or more", describe(x));
  if (sparse) {
    check.tensor(d.inputs[1], "labels", DType::kInt32, {n});
  } else {
    check.tensor(d.inputs[1], "targets", DType::kFloat32, x.dims);
  }
  if (backward) check.tensor(d.inputs[2], "dloss", DType::kFloat32, {n});
  check.tensor(d.outputs[0], backward ? "dlogits" : "loss", DType::kFloat32, backward ? x.dims : Dims{n});
  return {n, c};
}

}  // namespace fovea
