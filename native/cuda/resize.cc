#include <memory>
#include <string>
#include <type_traits>
#include <vector>

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

AxisArrays upload(Context& context, const Check& check, const ResizeDesc::Spans& spans, int64_t size, int64_t target,
                  const std::string& name) {
  const auto count = static_cast<int64_t>(spans.starts.size()), all = static_cast<int64_t>(spans.weights.size());
  const int64_t taps = count > 0 ? all / count : 0;
  check.that(count == target && all == count * taps && (count == 0 || taps > 0),
             name + " starts for " + std::to_string(target) + " results, with as many weights each",
             std::to_string(count) + " starts and " + std::to_string(all) + " weights");
  for (const int64_t start : spans.starts) {
    check.that(start >= 0 && taps <= size && start <= size - taps, name + " starts within the image",
               std::to_string(start) + " with " + std::to_string(taps) + " weights in " + std::to_string(size));
  }
  return {context.upload(spans.starts), context.upload(std::vector<float>(spans.weights.begin(), spans.weights.end())),
          taps};
}

}  // namespace

KernelPtr CudaBackend::prepareResize(const ResizeDesc& d) {
  const Check check("resize", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  check.anyFloat(x, "x");
  check.rank(x, "x", 4);
  check.rank(y, "y", 4);
  check.tensor(y, "y", x.dtype, {x.dims[0], y.dims[1], y.dims[2], x.dims[3]});
  context().enter();
  const auto rows = std::make_shared<AxisArrays>(upload(context(), check, d.rows, x.dims[1], y.dims[1], "row"));
  const auto columns =
      std::make_shared<AxisArrays>(upload(context(), check, d.columns, x.dims[2], y.dims[2], "column"));
  const int64_t n = y.size(), h = x.dims[1], w = x.dims[2], c = x.dims[3];
  if (n == 0) return makeNothing(context());
  const Divisor byC(c), byOw(y.dims[2]), byOh(y.dims[1]);
  return withFloatType(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel(context(), "own", 0, [=](Context& context, const Pointers& p) {
      launchChecked<Resize<T>>(context, "resize", gridFor(context, n),
                               {in<T>(p, 0), out<T>(p, 0), n, h, w, c, byC, byOw, byOh, rows->axis(), columns->axis()});
    });
  });
}

}  // namespace fovea::cuda
