#include <type_traits>

#include "core/pool_geometry.h"
#include "cuda/backend.h"
#include "cuda/kernel.h"
#include "cuda/kernels/pool.h"
#include "cuda/types.h"

/** @file Pooling in NHWC. */
namespace fovea::cuda {
namespace {

PoolGeometry geometry(const Pool2dGeometry& p) {
  return {p.h,          p.w,          p.c,           p.oh,          p.ow,          p.kh,
          p.kw,         p.sh,         p.sw,          p.top,         p.left,        Divisor(p.h),
          Divisor(p.w), Divisor(p.c), Divisor(p.oh), Divisor(p.ow), Divisor(p.sh), Divisor(p.sw)};
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
  return plain<MaxPool>(context(), "maxPool2d", geometry(parsePool2d("maxPool2d", d)), d.outputs[0]);
}

KernelPtr CudaBackend::prepareMaxPool2dBackward(const Pool2dDesc& d) {
  const PoolGeometry g = geometry(parseMaxPool2dBackward(d));
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
  return plain<AveragePool>(context(), "avgPool2d", geometry(parsePool2d("avgPool2d", d)), d.outputs[0]);
}

KernelPtr CudaBackend::prepareAvgPool2dBackward(const Pool2dDesc& d) {
  return plain<AveragePoolBackward>(context(), "avgPool2dBackward", geometry(parseAvgPool2dBackward(d)), d.outputs[0]);
}

}  // namespace fovea::cuda
