#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/check_operands.h"
#include "core/descriptors.h"

/** @file The resize kernel's operands, checked and taken apart. */
namespace fovea {

/** x [n,h,w,c] and y [n,oh,ow,c]; every result is a sum of `rowTaps` rows and `columnTaps` columns. */
struct ResizeGeometry {
  int64_t n = 0, h = 0, w = 0, c = 0, oh = 0, ow = 0;
  int64_t rowTaps = 0, columnTaps = 0;
};

/** Taps of `target` results along an axis of `size`; throws ERR_ARGUMENT where they reach beyond it. */
inline int64_t resizeTaps(const Check& check, const ResizeDesc::Spans& spans, int64_t size, int64_t target,
                          const std::string& axis) {
  const auto count = static_cast<int64_t>(spans.starts.size()), all = static_cast<int64_t>(spans.weights.size());
  const int64_t taps = count > 0 ? all / count : 0;
  check.that(count == target && all == count * taps && (count == 0 || taps > 0),
             axis + " starts for " + std::to_string(target) + " results, with as many weights each",
             std::to_string(count) + " starts and " + std::to_string(all) + " weights");
  for (const int64_t start : spans.starts) {
    check.that(start >= 0 && taps <= size && start <= size - taps, axis + " starts within the image",
               std::to_string(start) + " with " + std::to_string(taps) + " weights in " + std::to_string(size));
  }
  return taps;
}

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline ResizeGeometry parseResize(const ResizeDesc& d) {
  const Check check("resize", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  check.anyFloat(x, "x");
  check.rank(x, "x", 4);
  check.rank(y, "y", 4);
  check.tensor(y, "y", x.dtype, {x.dims[0], y.dims[1], y.dims[2], x.dims[3]});
  ResizeGeometry g;
  g.n = x.dims[0], g.h = x.dims[1], g.w = x.dims[2], g.c = x.dims[3];
  g.oh = y.dims[1], g.ow = y.dims[2];
  g.rowTaps = resizeTaps(check, d.rows, g.h, g.oh, "row");
  g.columnTaps = resizeTaps(check, d.columns, g.w, g.ow, "column");
  return g;
}

}  // namespace fovea
