#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/check_operands.h"
#include "core/descriptors.h"

/** @file The operands of reduce and argMax, checked and taken apart. */
namespace fovea {

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline void checkReduce(const ReduceDesc& d) {
  const Check check("reduce", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  const bool mean = d.mode == ReduceMode::kMean;
  check.that(isFloat(x.dtype) || (x.dtype == DType::kInt32 && !mean),
             mean ? "floating point for mean" : "floating point or int32", describe(x));
  if (!isFloat(x.dtype) || y.dtype != DType::kFloat32) check.type(y, "an output", x.dtype);
  int64_t kept = 1, last = -1;
  for (int64_t axis : d.axes) {
    check.that(axis > last && axis < x.rank(), "sorted axes below " + std::to_string(x.rank()), describe(d.axes));
    last = axis;
  }
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (std::find(d.axes.begin(), d.axes.end(), i) == d.axes.end()) kept *= x.dims[i];
  }
  check.that(y.size() == kept, "an output of " + std::to_string(kept) + " elements", describe(y));
}

/** x [outer, axis, inner], y [outer, inner]. */
struct ArgMaxGeometry {
  int64_t outer = 0, axis = 0, inner = 0;
};

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline ArgMaxGeometry parseArgMax(const AxisDesc& d) {
  const Check check("argMax", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  check.that(isFloat(x.dtype) || x.dtype == DType::kInt32, "floating point or int32", describe(x));
  check.that(d.axis >= 0 && d.axis < x.rank(), "an axis below " + std::to_string(x.rank()), std::to_string(d.axis));
  const ArgMaxGeometry g{product(x.dims, 0, d.axis), x.dims[d.axis], product(x.dims, d.axis + 1, x.dims.size())};
  const int64_t outputs = g.outer * g.inner;
  check.type(y, "an output", DType::kInt32);
  check.that(y.size() == outputs, "an output of " + std::to_string(outputs) + " elements", describe(y));
  check.that(g.axis > 0 || outputs == 0, "an axis that is not empty", describe(x));
  return g;
}

}  // namespace fovea
