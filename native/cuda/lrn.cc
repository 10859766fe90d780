#include <type_traits>

#include "core/lrn_geometry.h"
#include "cuda/backend.h"
#include "cuda/kernel.h"
#include "cuda/kernels/lrn.h"
#include "cuda/types.h"

/** @file Local response normalization across channels. */
namespace fovea::cuda {
namespace {

LrnParams params(const LrnGeometry& g) { return {g.rows * g.c, g.c, g.radius, Divisor(g.c), g.bias, g.alpha, g.beta}; }

}  // namespace

KernelPtr CudaBackend::prepareLrn(const LrnDesc& d) {
  const LrnParams q = params(parseLrn("lrn", d, 1));
  if (q.n == 0) return makeNothing(context());
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel(context(), "own", 0, [q](Context& context, const Pointers& p) {
      launchChecked<Lrn<T>>(context, "lrn", gridFor(context, q.n), {in<T>(p, 0), out<T>(p, 0), q});
    });
  });
}

KernelPtr CudaBackend::prepareLrnBackward(const LrnDesc& d) {
  const LrnParams q = params(parseLrn("lrnBackward", d, 2));
  if (q.n == 0) return makeNothing(context());
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    using K = LrnBackward<T>;
    const auto shared = static_cast<size_t>(K::kSpan + 2 * q.radius) * sizeof(float);
    const bool fits = shared <= context().properties().sharedBytesPerBlock;
    return makeKernel(context(), "own", 0, [=](Context& context, const Pointers& p) {
      Shape shape = gridFor(context, (q.n + K::kSpan - 1) / K::kSpan * kThreads);
      shape.sharedBytes = fits ? shared : 0;
      launchChecked<K>(context, "lrnBackward", shape, {in<T>(p, 0), in<T>(p, 1), out<T>(p, 0), q, fits});
    });
  });
}

}  // namespace fovea::cuda
