#include <algorithm>
#include <cmath>
#include <memory>
#include <type_traits>
#include <vector>

#include "cuda/backend.h"
#include "cuda/kernel.h"
#include "cuda/kernels/resize.h"
#include "cuda/types.h"

/** @file Image resizing as tf.image.resize without antialias (half-pixel centres). */
namespace fovea::cuda {
namespace {

std::vector<ResizeTap> taps(int64_t size, int64_t target, bool bilinear) {
  std::vector<ResizeTap> result;
  for (int64_t i = 0; i < target; ++i) {
    if (!bilinear) {
      const auto k = static_cast<int32_t>(std::min((2 * i + 1) * size / (2 * target), size - 1));
      result.push_back({k, k, 0});
      continue;
    }
    const double at = (static_cast<double>(i) + 0.5) * static_cast<double>(size) / static_cast<double>(target) - 0.5;
    const double low = std::floor(at);
    const auto k = static_cast<int64_t>(low);
    result.push_back({static_cast<int32_t>(std::clamp<int64_t>(k, 0, size - 1)),
                      static_cast<int32_t>(std::clamp<int64_t>(k + 1, 0, size - 1)), static_cast<float>(at - low)});
  }
  return result;
}

/** For each of `size` input positions the outputs that tap it: taps never go back. */
std::vector<ResizeSpan> spans(const std::vector<ResizeTap>& taps, int64_t size) {
  std::vector<ResizeSpan> result(static_cast<size_t>(size), {0, 0});
  const auto cover = [&](int32_t position, int32_t output) {
    ResizeSpan& s = result[position];
    if (s.end == 0) s.begin = output;
    s.end = output + 1;
  };
  for (size_t o = 0; o < taps.size(); ++o) {
    cover(taps[o].low, static_cast<int32_t>(o));
    cover(taps[o].high, static_cast<int32_t>(o));
  }
  return result;
}

/** What the device holds: taps of the outputs and, for the gradient, spans of the inputs. */
struct Constants {
  DeviceArray rows, columns, rowSpans, columnSpans;
};

struct Prepared {
  ResizeGeometry g;
  std::shared_ptr<Constants> constants;
};

Prepared prepare(Context& context, const Check& check, const ResizeDesc& d, const TensorDesc& x, const TensorDesc& y) {
  check.anyFloat(x, "x");
  check.rank(x, "x", 4);
  check.rank(y, "y", 4);
  check.tensor(y, "y", x.dtype, {x.dims[0], y.dims[1], y.dims[2], x.dims[3]});
  check.that(x.dims[1] > 0 && x.dims[2] > 0, "an image that is not empty", fovea::describe(x));
  context.enter();
  const std::vector<ResizeTap> rows = taps(x.dims[1], y.dims[1], d.bilinear),
                               columns = taps(x.dims[2], y.dims[2], d.bilinear);
  auto constants = std::make_shared<Constants>();
  constants->rows = context.upload(rows);
  constants->columns = context.upload(columns);
  constants->rowSpans = context.upload(spans(rows, x.dims[1]));
  constants->columnSpans = context.upload(spans(columns, x.dims[2]));
  ResizeGeometry g{};
  g.h = x.dims[1], g.w = x.dims[2], g.c = x.dims[3];
  g.oh = y.dims[1], g.ow = y.dims[2];
  g.byH = Divisor(g.h), g.byW = Divisor(g.w), g.byC = Divisor(g.c);
  g.byOh = Divisor(g.oh), g.byOw = Divisor(g.ow);
  g.rows = constants->rows.as<const ResizeTap>();
  g.columns = constants->columns.as<const ResizeTap>();
  return {g, std::move(constants)};
}

}  // namespace

KernelPtr CudaBackend::prepareResize(const ResizeDesc& d) {
  const Check check("resize", d);
  check.counts(1, 1);
  const Prepared q = prepare(context(), check, d, d.inputs[0], d.outputs[0]);
  const int64_t n = d.outputs[0].size();
  if (n == 0) return makeNothing(context());
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel(context(), "own", 0, [q, n](Context& context, const Pointers& p) {
      launchChecked<Resize<T>>(context, "resize", gridFor(context, n), {in<T>(p, 0), out<T>(p, 0), n, q.g});
    });
  });
}

KernelPtr CudaBackend::prepareResizeBackward(const ResizeDesc& d) {
  const Check check("resizeBackward", d);
  check.counts(1, 1);
  const Prepared q = prepare(context(), check, d, d.outputs[0], d.inputs[0]);
  const int64_t n = d.outputs[0].size();
  if (n == 0) return makeNothing(context());
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel(context(), "own", 0, [q, n](Context& context, const Pointers& p) {
      launchChecked<ResizeBackward<T>>(
          context, "resizeBackward", gridFor(context, n),
          {in<T>(p, 0), out<T>(p, 0), n, q.g, q.constants->rowSpans.template as<const ResizeSpan>(),
           q.constants->columnSpans.template as<const ResizeSpan>()});
    });
  });
}

}  // namespace fovea::cuda
