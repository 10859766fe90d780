#include <algorithm>
#include <type_traits>

#include "cuda/backend.h"
#include "cuda/kernel.h"
#include "cuda/kernels/lrn.h"
#include "cuda/types.h"

/** @file Local response normalization across channels. */
namespace fovea::cuda {
namespace {

LrnParams params(const Check& check, const LrnDesc& d) {
  const TensorDesc& x = d.inputs[0];
  check.anyFloat(x, "x");
  check.rankAtLeast(x, "x", 1);
  check.that(d.depthRadius >= 0, "a depth radius of 0 or more", std::to_string(d.depthRadius));
  for (const TensorDesc& t : d.inputs) check.tensor(t, "an input", x.dtype, x.dims);
  check.tensor(d.outputs[0], "an output", x.dtype, x.dims);
  // A window wider than the channels sums them all.
  return {x.size(),
          x.dims.back(),
          std::min(d.depthRadius, std::max<int64_t>(x.dims.back(), 1)),
          Divisor(x.dims.back()),
          static_cast<float>(d.bias),
          static_cast<float>(d.alpha),
          static_cast<float>(d.beta)};
}

}  // namespace

KernelPtr CudaBackend::prepareLrn(const LrnDesc& d) {
  const Check check("lrn", d);
  check.counts(1, 1);
  const LrnParams q = params(check, d);
  if (q.n == 0) return makeNothing(context());
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel(context(), "own", 0, [q](Context& context, const Pointers& p) {
      launchChecked<Lrn<T>>(context, "lrn", gridFor(context, q.n), {in<T>(p, 0), out<T>(p, 0), q});
    });
  });
}

KernelPtr CudaBackend::prepareLrnBackward(const LrnDesc& d) {
  const Check check("lrnBackward", d);
  check.counts(2, 1);
  const LrnParams q = params(check, d);
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
