#include <memory>
#include <type_traits>
#include <vector>

#include "core/resize_geometry.h"
#include "cuda/backend.h"
#include "cuda/kernel.h"
#include "cuda/kernels/resize.h"
#include "cuda/types.h"

/** @file The linear maps along rows and columns that resize images. */
namespace fovea::cuda {
namespace {

/** Starts and weights of one axis, on the device. */
struct AxisArrays {
  DeviceArray starts, weights;
  int64_t taps;

  ResizeAxis axis() const { return {starts.as<const int64_t>(), weights.as<const float>(), taps}; }
};

AxisArrays upload(Context& context, const ResizeDesc::Spans& spans, int64_t taps) {
  return {context.upload("starts", spans.starts),
          context.upload("weights", std::vector<float>(spans.weights.begin(), spans.weights.end())), taps};
}

}  // namespace

KernelPtr CudaBackend::prepareResize(const ResizeDesc& d) {
  const ResizeGeometry g = parseResize(d);
  const int64_t n = d.outputs[0].size();
  if (n == 0) return makeNothing(context());
  context().enter();
  const auto rows = std::make_shared<AxisArrays>(upload(context(), d.rows, g.rowTaps));
  const auto columns = std::make_shared<AxisArrays>(upload(context(), d.columns, g.columnTaps));
  const Divisor byC(g.c), byOw(g.ow), byOh(g.oh);
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel(context(), "own", 0, [=](Context& context, const Pointers& p) {
      launchChecked<Resize<T>>(
          context, "resize", gridFor(context, n),
          {in<T>(p, 0), out<T>(p, 0), n, g.h, g.w, g.c, byC, byOw, byOh, rows->axis(), columns->axis()});
    });
  });
}

}  // namespace fovea::cuda
