#include <algorithm>
#include <vector>

#include "cuda/backend.h"
#include "cuda/layout.h"

/** @file Kernels that only move elements: concat, slice, pad, transpose, copy; any dtype, by element size. */
namespace fovea::cuda {

KernelPtr CudaBackend::prepareConcat(const AxisDesc& d) {
  const Check check("concat", d);
  check.that(!d.inputs.empty() && d.outputs.size() == 1, "inputs and one output",
             std::to_string(d.inputs.size()) + " and " + std::to_string(d.outputs.size()));
  const TensorDesc& y = d.outputs[0];
  check.that(d.axis >= 0 && d.axis < y.rank(), "an axis below " + std::to_string(y.rank()), std::to_string(d.axis));
  std::vector<Box> boxes;
  Dims at(y.dims.size(), 0);
  const Dims zeros = at;
  for (const TensorDesc& x : d.inputs) {
    Dims expected = y.dims;
    expected[d.axis] = x.rank() == y.rank() ? x.dims[d.axis] : 0;
    check.tensor(x, "an input", y.dtype, expected);
    boxes.emplace_back(x.dims, x.dims, zeros, y.dims, at, bytesPerElement(y.dtype));
    at[d.axis] += x.dims[d.axis];
  }
  check.that(at[d.axis] == y.dims[d.axis], "inputs that fill " + fovea::describe(y), std::to_string(at[d.axis]));
  return makeKernel(context(), "own", 0, [boxes = std::move(boxes)](Context& context, const Pointers& p) {
    for (size_t i = 0; i < boxes.size(); ++i) boxes[i].copy(context, "concat", p.inputs[i], p.outputs[0]);
  });
}

KernelPtr CudaBackend::prepareSlice(const SliceDesc& d) {
  const Check check("slice", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  check.type(y, "an output", x.dtype);
  check.rank(y, "an output", x.rank());
  check.that(static_cast<int64_t>(d.begin.size()) == x.rank(), "a begin for each axis", describe(Dims(d.begin)));
  for (size_t i = 0; i < x.dims.size(); ++i) {
    check.that(d.begin[i] >= 0 && d.begin[i] + y.dims[i] <= x.dims[i], "a slice within " + fovea::describe(x),
               describe(Dims(d.begin)) + " of size " + describe(y.dims));
  }
  const Box box(y.dims, x.dims, d.begin, y.dims, Dims(y.dims.size(), 0), bytesPerElement(x.dtype));
  return makeKernel(context(), "own", 0, [box](Context& context, const Pointers& p) {
    box.copy(context, "slice", p.inputs[0], p.outputs[0]);
  });
}

KernelPtr CudaBackend::preparePad(const PadDesc& d) {
  const Check check("pad", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  check.type(y, "an output", x.dtype);
  check.rank(y, "an output", x.rank());
  check.that(static_cast<int64_t>(d.before.size()) == x.rank(), "padding for each axis", describe(Dims(d.before)));
  for (size_t i = 0; i < x.dims.size(); ++i) {
    check.that(d.before[i] >= 0 && d.before[i] + x.dims[i] <= y.dims[i],
               "padding within the output " + fovea::describe(y), describe(Dims(d.before)));
  }
  const Padding padding(x.dtype, x.dims, y.dims, d.before, d.value);
  return makeKernel(context(), "own", 0, [padding](Context& context, const Pointers& p) {
    padding.run(context, "pad", p.inputs[0], p.outputs[0]);
  });
}

KernelPtr CudaBackend::prepareTranspose(const TransposeDesc& d) {
  const Check check("transpose", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  Dims sorted = d.perm, expected;
  std::sort(sorted.begin(), sorted.end());
  bool valid = static_cast<int64_t>(sorted.size()) == x.rank();
  for (size_t i = 0; valid && i < sorted.size(); ++i) valid = sorted[i] == static_cast<int64_t>(i);
  check.that(valid, "a permutation of " + std::to_string(x.rank()) + " axes", describe(Dims(d.perm)));
  for (int64_t axis : d.perm) expected.push_back(x.dims[axis]);
  check.tensor(y, "y", x.dtype, expected);
  const Transposition transposition(x.dims, d.perm, bytesPerElement(x.dtype));
  return makeKernel(context(), "own", 0, [transposition](Context& context, const Pointers& p) {
    transposition.run(context, "transpose", p.inputs[0], p.outputs[0]);
  });
}

KernelPtr CudaBackend::prepareCopy(const PlainDesc& d) {
  const Check check("copy", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  check.that(x.dtype == y.dtype && x.size() == y.size(), "operands of one size and dtype",
             fovea::describe(x) + " and " + fovea::describe(y));
  const Box box({x.size()}, {1}, bytesPerElement(x.dtype));
  return makeKernel(context(), "own", 0, [box](Context& context, const Pointers& p) {
    if (p.inputs[0] != p.outputs[0]) box.copy(context, "copy", p.inputs[0], p.outputs[0]);
  });
}

}  // namespace fovea::cuda
