#include <algorithm>
#include <type_traits>

#include "cuda/backend.h"
#include "cuda/kernel.h"
#include "cuda/kernels/pool.h"
#include "cuda/types.h"

/** @file Pooling in NHWC. */
namespace fovea::cuda {
namespace {

PoolGeometry geometry(const Check& check, const Pool2dDesc& d, const TensorDesc& x, const TensorDesc& y) {
  check.anyFloat(x, "x");
  check.type(y, "y", x.dtype);
  check.rank(x, "x", 4);
  check.rank(y, "y", 4);
  const auto& w = d.window;
  PoolGeometry g{};
  g.h = x.dims[1], g.w = x.dims[2], g.c = x.dims[3];
  g.oh = y.dims[1], g.ow = y.dims[2];
  g.kh = d.poolSize[0], g.kw = d.poolSize[1];
  g.sh = w.strides[0], g.sw = w.strides[1];
  g.top = w.padding[0], g.left = w.padding[2];
  check.that(g.kh > 0 && g.kw > 0 && g.sh > 0 && g.sw > 0, "positive pool size and strides",
             describe(Dims{g.kh, g.kw, g.sh, g.sw}));
  check.that(w.dilations[0] == 1 && w.dilations[1] == 1, "no dilations",
             describe(Dims{w.dilations[0], w.dilations[1]}));
  check.that(*std::min_element(w.padding.begin(), w.padding.end()) >= 0, "padding of 0 or more",
             describe(Dims(w.padding.begin(), w.padding.end())));
  const int64_t spanH = g.h + w.padding[0] + w.padding[1] - g.kh, spanW = g.w + w.padding[2] + w.padding[3] - g.kw;
  check.that(spanH >= 0 && spanW >= 0, "a window no larger than the padded input", fovea::describe(x));
  check.tensor(y, "y", x.dtype, {x.dims[0], spanH / g.sh + 1, spanW / g.sw + 1, g.c});
  g.byH = Divisor(g.h), g.byW = Divisor(g.w), g.byC = Divisor(g.c);
  g.byOh = Divisor(g.oh), g.byOw = Divisor(g.ow);
  g.bySh = Divisor(g.sh), g.bySw = Divisor(g.sw);
  return g;
}

/** A kernel of one input and one output, element by element of the output. */
template <template <class> class K>
KernelPtr plain(Context& context, const char* name, const PoolGeometry& g, const TensorDesc& output) {
  const int64_t n = output.size();
  if (n == 0) return makeNothing(context);
  return withFloatType(output.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel(context, "own", 0, [=](Context& context, const Pointers& p) {
      launchChecked<K<T>>(context, name, gridFor(context, n), {in<T>(p, 0), out<T>(p, 0), n, g});
    });
  });
}

}  // namespace

KernelPtr CudaBackend::prepareMaxPool2d(const Pool2dDesc& d) {
  const Check check("maxPool2d", d);
  check.counts(1, 1);
  return plain<MaxPool>(context(), "maxPool2d", geometry(check, d, d.inputs[0], d.outputs[0]), d.outputs[0]);
}

KernelPtr CudaBackend::prepareMaxPool2dBackward(const Pool2dDesc& d) {
  const Check check("maxPool2dBackward", d);
  check.counts(3, 1);
  const PoolGeometry g = geometry(check, d, d.inputs[0], d.inputs[1]);
  check.tensor(d.inputs[2], "dy", d.inputs[1].dtype, d.inputs[1].dims);
  check.tensor(d.outputs[0], "dx", d.inputs[0].dtype, d.inputs[0].dims);
  const int64_t n = d.inputs[0].size();
  if (n == 0) return makeNothing(context());
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel(context(), "own", 0, [=](Context& context, const Pointers& p) {
      launchChecked<MaxPoolBackward<T>>(context, "maxPool2dBackward", gridFor(context, n),
                                        {in<T>(p, 0), in<T>(p, 1), in<T>(p, 2), out<T>(p, 0), n, g});
    });
  });
}

KernelPtr CudaBackend::prepareAvgPool2d(const Pool2dDesc& d) {
  const Check check("avgPool2d", d);
  check.counts(1, 1);
  return plain<AveragePool>(context(), "avgPool2d", geometry(check, d, d.inputs[0], d.outputs[0]), d.outputs[0]);
}

KernelPtr CudaBackend::prepareAvgPool2dBackward(const Pool2dDesc& d) {
  const Check check("avgPool2dBackward", d);
  check.counts(1, 1);
  return plain<AveragePoolBackward>(context(), "avgPool2dBackward", geometry(check, d, d.outputs[0], d.inputs[0]),
                                    d.outputs[0]);
}

}  // namespace fovea::cuda
