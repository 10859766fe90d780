#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/check_operands.h"
#include "core/descriptors.h"

/** @file The operands of the kernels that only move elements, checked: concat, slice, pad, transpose, copy. */
namespace fovea {

/** Where each input begins along the axis of the output. Throws ERR_ARGUMENT where the operands do not fit. */
inline std::vector<int64_t> parseConcat(const AxisDesc& d) {
  const Check check("concat", d);
  check.that(!d.inputs.empty() && d.outputs.size() == 1, "inputs and one output",
             std::to_string(d.inputs.size()) + " and " + std::to_string(d.outputs.size()));
  const TensorDesc& y = d.outputs[0];
  check.that(d.axis >= 0 && d.axis < y.rank(), "an axis below " + std::to_string(y.rank()), std::to_string(d.axis));
  std::vector<int64_t> begins;
  int64_t end = 0;
  for (const TensorDesc& x : d.inputs) {
    Dims expected = y.dims;
    expected[d.axis] = x.rank() == y.rank() ? x.dims[d.axis] : 0;
    check.tensor(x, "an input", y.dtype, expected);
    begins.push_back(end);
    end += x.dims[d.axis];
  }
  check.that(end == y.dims[d.axis], "inputs that fill " + describe(y), std::to_string(end));
  return begins;
}

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline void checkSlice(const SliceDesc& d) {
  const Check check("slice", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  check.type(y, "an output", x.dtype);
  check.rank(y, "an output", x.rank());
  check.that(static_cast<int64_t>(d.begin.size()) == x.rank(), "a begin for each axis", describe(d.begin));
  for (size_t i = 0; i < x.dims.size(); ++i) {
    check.that(d.begin[i] >= 0 && d.begin[i] + y.dims[i] <= x.dims[i], "a slice within " + describe(x),
               describe(d.begin) + " of size " + describe(y.dims));
  }
}

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline void checkPad(const PadDesc& d) {
  const Check check("pad", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  check.type(y, "an output", x.dtype);
  check.rank(y, "an output", x.rank());
  check.that(static_cast<int64_t>(d.before.size()) == x.rank(), "padding for each axis", describe(d.before));
  for (size_t i = 0; i < x.dims.size(); ++i) {
    check.that(d.before[i] >= 0 && d.before[i] + x.dims[i] <= y.dims[i], "padding within the output " + describe(y),
               describe(d.before));
  }
}

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline void checkTranspose(const TransposeDesc& d) {
  const Check check("transpose", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  Dims sorted = d.perm, expected;
  std::sort(sorted.begin(), sorted.end());
  bool valid = static_cast<int64_t>(sorted.size()) == x.rank();
  for (size_t i = 0; valid && i < sorted.size(); ++i) valid = sorted[i] == static_cast<int64_t>(i);
  check.that(valid, "a permutation of " + std::to_string(x.rank()) + " axes", describe(d.perm));
  for (int64_t axis : d.perm) expected.push_back(x.dims[axis]);
  check.tensor(y, "y", x.dtype, expected);
}

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline void checkCopy(const PlainDesc& d) {
  const Check check("copy", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  check.that(x.dtype == y.dtype && x.size() == y.size(), "operands of one size and dtype",
             describe(x) + " and " + describe(y));
}

}  // namespace fovea
