#include <vector>

#include "core/data_movement_geometry.h"
#include "cuda/backend.h"
#include "cuda/layout.h"

/** @file Kernels that only move elements: concat, slice, pad, transpose, copy; any dtype, by element size. */
namespace fovea::cuda {

KernelPtr CudaBackend::prepareConcat(const AxisDesc& d) {
  const std::vector<int64_t> begins = parseConcat(d);
  const TensorDesc& y = d.outputs[0];
  std::vector<Box> boxes;
  Dims at(y.dims.size(), 0);
  const Dims zeros = at;
  for (size_t i = 0; i < begins.size(); ++i) {
    const TensorDesc& x = d.inputs[i];
    at[d.axis] = begins[i];
    boxes.emplace_back(x.dims, x.dims, zeros, y.dims, at, bytesPerElement(y.dtype));
  }
  return makeKernel(context(), "own", 0, [boxes = std::move(boxes)](Context& context, const Pointers& p) {
    for (size_t i = 0; i < boxes.size(); ++i) boxes[i].copy(context, "concat", p.inputs[i], p.outputs[0]);
  });
}

KernelPtr CudaBackend::prepareSlice(const SliceDesc& d) {
  checkSlice(d);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  const Box box(y.dims, x.dims, d.begin, y.dims, Dims(y.dims.size(), 0), bytesPerElement(x.dtype));
  return makeKernel(context(), "own", 0, [box](Context& context, const Pointers& p) {
    box.copy(context, "slice", p.inputs[0], p.outputs[0]);
  });
}

KernelPtr CudaBackend::preparePad(const PadDesc& d) {
  checkPad(d);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  const Padding padding(x.dtype, x.dims, y.dims, d.before, d.value);
  return makeKernel(context(), "own", 0, [padding](Context& context, const Pointers& p) {
    padding.run(context, "pad", p.inputs[0], p.outputs[0]);
  });
}

KernelPtr CudaBackend::prepareTranspose(const TransposeDesc& d) {
  checkTranspose(d);
  const TensorDesc& x = d.inputs[0];
  const Transposition transposition(x.dims, d.perm, bytesPerElement(x.dtype));
  return makeKernel(context(), "own", 0, [transposition](Context& context, const Pointers& p) {
    transposition.run(context, "transpose", p.inputs[0], p.outputs[0]);
  });
}

KernelPtr CudaBackend::prepareCopy(const PlainDesc& d) {
  checkCopy(d);
  const TensorDesc& x = d.inputs[0];
  const Box box({x.size()}, {1}, bytesPerElement(x.dtype));
  return makeKernel(context(), "own", 0, [box](Context& context, const Pointers& p) {
    if (p.inputs[0] != p.outputs[0]) box.copy(context, "copy", p.inputs[0], p.outputs[0]);
  });
}

}  // namespace fovea::cuda
