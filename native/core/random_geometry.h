#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "core/check_operands.h"
#include "core/descriptors.h"

/** @file The operands of dropout and random, checked, and the numbers that their loops compare with. */
namespace fovea {

inline void checkSeed(const Check& check, const TensorDesc& seed) { check.tensor(seed, "seed", DType::kInt32, {4}); }

/** An element stays where its random 24-bit integer is at least `threshold`, multiplied with `scale`. */
struct DropoutGeometry {
  int64_t n = 0;
  uint32_t threshold = 0;
  float scale = 1;
};

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline DropoutGeometry parseDropout(const DropoutDesc& d) {
  const Check check("dropout", d);
  check.counts(2, 1);
  const TensorDesc& x = d.inputs[0];
  check.anyFloat(x, "x");
  checkSeed(check, d.inputs[1]);
  check.tensor(d.outputs[0], "y", x.dtype, x.dims);
  check.that(d.rate >= 0 && d.rate < 1, "a rate from 0 to below 1", std::to_string(d.rate));
  // u = k 2^-24 >= rate  <=>  k >= ceil(rate 2^24): exact, the product only shifts the exponent.
  return {x.size(), static_cast<uint32_t>(std::ceil(d.rate * 0x1p24)), static_cast<float>(1.0 / (1.0 - d.rate))};
}

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline void checkRandom(const RandomDesc& d) {
  const Check check("random", d);
  check.counts(1, 1);
  checkSeed(check, d.inputs[0]);
  check.floats(d.outputs[0], "an output");
}

/** The largest float below `b`: what a uniform number becomes that was rounded to b. */
inline float justBelow(double b) {
  return std::nextafter(static_cast<float>(b), -std::numeric_limits<float>::infinity());
}

}  // namespace fovea
