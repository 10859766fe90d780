#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/check_operands.h"
#include "core/descriptors.h"

/** @file The operands of gather, scatterAdd and oneHot, checked and taken apart. */
namespace fovea {

/** whole [outer, axis, inner] beside picked [outer, count, inner]; the dtype of both is the same. */
struct GatherGeometry {
  int64_t outer = 0, axis = 0, inner = 0, count = 0;
};

/** picked = whole[:axis] + indices + whole[axis+1:]; throws ERR_ARGUMENT where it is not. */
inline GatherGeometry gatherGeometry(const Check& check, int64_t axis, const TensorDesc& whole,
                                     const TensorDesc& indices, const TensorDesc& picked) {
  check.type(indices, "indices", DType::kInt32);
  check.that(axis >= 0 && axis < whole.rank(), "an axis below " + std::to_string(whole.rank()), std::to_string(axis));
  Dims expected(whole.dims.begin(), whole.dims.begin() + axis);
  expected.insert(expected.end(), indices.dims.begin(), indices.dims.end());
  expected.insert(expected.end(), whole.dims.begin() + axis + 1, whole.dims.end());
  check.tensor(picked, "the gathered side", whole.dtype, expected);
  return {product(whole.dims, 0, axis), whole.dims[axis], product(whole.dims, axis + 1, whole.dims.size()),
          indices.size()};
}

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline GatherGeometry parseGather(const AxisDesc& d) {
  const Check check("gather", d);
  check.counts(2, 1);
  return gatherGeometry(check, d.axis, d.inputs[0], d.inputs[1], d.outputs[0]);
}

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline GatherGeometry parseScatterAdd(const AxisDesc& d) {
  const Check check("scatterAdd", d);
  check.counts(2, 1);
  check.anyFloat(d.outputs[0], "dx");
  return gatherGeometry(check, d.axis, d.outputs[0], d.inputs[0], d.inputs[1]);
}

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline void checkOneHot(const PlainDesc& d) {
  const Check check("oneHot", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  check.type(x, "indices", DType::kInt32);
  check.that(isFloat(y.dtype) || y.dtype == DType::kBool, "a floating-point or bool output", describe(y));
  check.rank(y, "an output", x.rank() + 1);
  check.that(std::equal(x.dims.begin(), x.dims.end(), y.dims.begin()), "an output of the indices' shape plus depth",
             describe(y));
}

}  // namespace fovea
