#pragma once

#include <cstdint>

#include "core/check_operands.h"
#include "core/descriptors.h"

/** @file The batch normalization kernels' operands, checked and taken apart. */
namespace fovea {

/** x as m rows of c channels. */
struct BatchNormGeometry {
  int64_t m = 0, c = 0;
  bool relu = false;             ///< Forward: ReLU after; backward: y is given, and masks dy where it is 0.
  DType type = DType::kFloat32;  ///< Of x, y and their gradients; all else is float32.
};

/** Throws ERR_ARGUMENT where x does not fit. */
inline BatchNormGeometry batchNormRows(const Check& check, const TensorDesc& x) {
  check.anyFloat(x, "x");
  check.rankAtLeast(x, "x", 1);
  return {product(x.dims, 0, x.dims.size() - 1), x.dims.back(), false, x.dtype};
}

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline BatchNormGeometry parseBatchNorm(const BatchNormDesc& d) {
  const Check check("batchNorm", d);
  check.counts(3, 3);
  const TensorDesc& x = d.inputs[0];
  BatchNormGeometry g = batchNormRows(check, x);
  for (size_t i : {1, 2}) {
    check.tensor(d.inputs[i], i == 1 ? "gamma" : "beta", DType::kFloat32, {g.c});
    check.tensor(d.outputs[i], i == 1 ? "mean" : "variance", DType::kFloat32, {g.c});
  }
  check.tensor(d.outputs[0], "y", x.dtype, x.dims);
  g.relu = d.activation == Activation::kRelu;
  return g;
}

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline BatchNormGeometry parseBatchNormBackward(const BatchNormDesc& d) {
  const Check check("batchNormBackward", d);
  check.counts(5, 6, 3, 3);
  const TensorDesc& x = d.inputs[0];
  BatchNormGeometry g = batchNormRows(check, x);
  const char* names[] = {"x", "gamma", "mean", "variance", "dy", "y"};
  for (size_t i = 1; i < 4; ++i) check.tensor(d.inputs[i], names[i], DType::kFloat32, {g.c});
  for (size_t i = 4; i < d.inputs.size(); ++i) check.tensor(d.inputs[i], names[i], x.dtype, x.dims);
  check.tensor(d.outputs[0], "dx", x.dtype, x.dims);
  check.tensor(d.outputs[1], "dgamma", DType::kFloat32, {g.c});
  check.tensor(d.outputs[2], "dbeta", DType::kFloat32, {g.c});
  g.relu = d.inputs.size() == 6;
  return g;
}

}  // namespace fovea
