#include <cmath>
#include <limits>
#include <type_traits>

#include "cuda/backend.h"
#include "cuda/kernel.h"
#include "cuda/kernels/random.h"
#include "cuda/types.h"

/** @file Dropout and random numbers. */
namespace fovea::cuda {
namespace {

void checkSeed(const Check& check, const TensorDesc& seed) { check.tensor(seed, "seed", DType::kInt32, {4}); }

}  // namespace

KernelPtr CudaBackend::prepareDropout(const DropoutDesc& d) {
  const Check check("dropout", d);
  check.counts(2, 1);
  check.anyFloat(d.inputs[0], "x");
  checkSeed(check, d.inputs[1]);
  check.tensor(d.outputs[0], "y", d.inputs[0].dtype, d.inputs[0].dims);
  check.that(d.rate >= 0 && d.rate < 1, "a rate from 0 to below 1", std::to_string(d.rate));
  const int64_t n = d.inputs[0].size();
  if (n == 0) return makeNothing(context());
  // u = k 2^-24 >= rate  <=>  k >= ceil(rate 2^24): exact, the product only shifts the exponent.
  const auto threshold = static_cast<uint32_t>(std::ceil(d.rate * 0x1p24));
  const auto scale = static_cast<float>(1.0 / (1.0 - d.rate));
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel(context(), "own", 0, [=](Context& context, const Pointers& p) {
      launchChecked<Dropout<T>>(context, "dropout", gridFor(context, (n + 3) / 4),
                                {in<T>(p, 0), in<uint32_t>(p, 1), out<T>(p, 0), n, threshold, scale});
    });
  });
}

KernelPtr CudaBackend::prepareRandom(const RandomDesc& d) {
  const Check check("random", d);
  check.counts(1, 1);
  checkSeed(check, d.inputs[0]);
  check.floats(d.outputs[0], "an output");
  const int64_t n = d.outputs[0].size();
  if (n == 0) return makeNothing(context());
  const double a = d.a, b = d.b;
  switch (d.distribution) {
    case Distribution::kUniform: {
      const float below = std::nextafter(static_cast<float>(b), -std::numeric_limits<float>::infinity());
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
