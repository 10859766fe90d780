#include <cmath>
#include <limits>
#include <type_traits>

#include "core/random_geometry.h"
#include "cuda/backend.h"
#include "cuda/kernel.h"
#include "cuda/kernels/random.h"
#include "cuda/types.h"

/** @file Dropout and random numbers. */
namespace fovea::cuda {
KernelPtr CudaBackend::prepareDropout(const DropoutDesc& d) {
  const DropoutGeometry g = parseDropout(d);
  if (g.n == 0) return makeNothing(context());
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel(context(), "own", 0, [=](Context& context, const Pointers& p) {
      launchChecked<Dropout<T>>(context, "dropout", gridFor(context, (g.n + 3) / 4),
                                {in<T>(p, 0), in<uint32_t>(p, 1), out<T>(p, 0), g.n, g.threshold, g.scale});
    });
  });
}

KernelPtr CudaBackend::prepareRandom(const RandomDesc& d) {
  checkRandom(d);
  const int64_t n = d.outputs[0].size();
  if (n == 0) return makeNothing(context());
  const double a = d.a, b = d.b;
  switch (d.distribution) {
    case Distribution::kUniform: {
      const float below = justBelow(b);
      return makeKernel(context(), "own", 0, [=](Context& context, const Pointers& p) {
        launchChecked<RandomUniform>(context, "random", gridFor(context, (n + 3) / 4),
                                     {in<uint32_t>(p, 0), out<float>(p, 0), n, a, b, below});
      });
    }
    case Distribution::kNormal:
      return makeKernel(context(), "own", 0, [=](Context& context, const Pointers& p) {
        launchChecked<RandomNormal<false>>(context, "random", gridFor(context, n),
                                           {in<uint32_t>(p, 0), out<float>(p, 0), n, a, b});
      });
    case Distribution::kTruncatedNormal:
      return makeKernel(context(), "own", 0, [=](Context& context, const Pointers& p) {
        launchChecked<RandomNormal<true>>(context, "random", gridFor(context, n),
                                          {in<uint32_t>(p, 0), out<float>(p, 0), n, a, b});
      });
  }
  throw Error("ERR_ARGUMENT", "random: expected a known distribution");
}

}  // namespace fovea::cuda
