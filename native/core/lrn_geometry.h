#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/check_operands.h"
#include "core/descriptors.h"

/** @file The local response normalization kernels' operands, checked and taken apart. */
namespace fovea {

/** x as rows of c channels; the window reaches `radius` channels to either side. */
struct LrnGeometry {
  int64_t rows = 0, c = 0;
  int64_t radius = 0;  ///< At most c: a window wider than the channels sums them all.
  float bias = 1, alpha = 1, beta = 0.5f;
};

/** lrn (one input) and lrnBackward (two). Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline LrnGeometry parseLrn(const char* kernel, const LrnDesc& d, size_t inputs) {
  const Check check(kernel, d);
  check.counts(inputs, 1);
  const TensorDesc& x = d.inputs[0];
  check.anyFloat(x, "x");
  check.rankAtLeast(x, "x", 1);
  check.that(d.depthRadius >= 0, "a depth radius of 0 or more", std::to_string(d.depthRadius));
  for (const TensorDesc& t : d.inputs) check.tensor(t, "an input", x.dtype, x.dims);
  check.tensor(d.outputs[0], "an output", x.dtype, x.dims);
  const int64_t c = x.dims.back();
  return {product(x.dims, 0, x.dims.size() - 1),
          c,
          std::min(d.depthRadius, std::max<int64_t>(c, 1)),
          static_cast<float>(d.bias),
          static_cast<float>(d.alpha),
          static_cast<float>(d.beta)};
}

}  // namespace fovea
