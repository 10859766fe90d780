#include "core/float16.h"

#include <cmath>
#include <limits>
#include <random>

#include "native/cuda_kernels/host_kernels.h"

namespace fovea::test {
namespace {

/** Sign, exponent and mantissa taken apart by arithmetic. */
double slowToDouble(uint16_t bits) {
  const int exponent = bits >> 10 & 0x1f, mantissa = bits & 0x3ff;
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == 0x1f) return mantissa ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  return sign * (exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25));
}

/** The multiple of the step at v that is nearest, ties to even (the processor's rounding mode). */
double slowRound(double v) {
  if (!std::isfinite(v) || v == 0) return v;
  const int step = std::max(std::ilogb(v), -14) - 10;
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(v, -step)), step);
  return std::fabs(rounded) > 65504 ? std::copysign(std::numeric_limits<double>::infinity(), v) : rounded;
}

void checkRounded(float v) {
  const double received = slowToDouble(toFloat16(v).bits), expected = slowRound(v);
  if (std::isnan(v)) return check(std::isnan(received), "NaN stays NaN");
  check(received == expected && std::signbit(received) == std::signbit(expected),
        std::to_string(v) + " becomes " + std::to_string(received) + ", expected " + std::to_string(expected));
}

}  // namespace

std::vector<Test> float16Tests() {
  return {
      {"float16: every pattern is widened exactly and comes back",
       [] {
         for (uint32_t u = 0; u <= 0xffff; ++u) {
           const Float16 h{static_cast<uint16_t>(u)};
           const double wide = toFloat(h), expected = slowToDouble(h.bits);
           check(wide == expected || (std::isnan(wide) && std::isnan(expected)), "pattern " + std::to_string(u));
           if (!std::isnan(wide)) check(toFloat16(toFloat(h)).bits == h.bits, "pattern " + std::to_string(u));
         }
       }},
      {"float16: rounds to nearest, ties to even",
       [] {
         for (uint32_t u = 0; u < 0x7bff; ++u) {
           // Halfway to the next number, and the floats beside it.
           const auto a = static_cast<float>(slowToDouble(static_cast<uint16_t>(u))),
                      b = static_cast<float>(slowToDouble(static_cast<uint16_t>(u + 1)));
           const float middle = a + (b - a) / 2;
           for (float v : {middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 1e9f)}) {
             checkRounded(v);
             checkRounded(-v);
           }
         }
         for (float v : {65504.0f, 65519.996f, 65520.0f, 65536.0f, 1e30f, 2.98023224e-8f, 2.98023260e-8f, 1e-30f,
                         1e-45f, 0.0f, -0.0f, INFINITY, -INFINITY, NAN}) {
           checkRounded(v);
         }
         std::mt19937 random(1);
         for (int i = 0; i < 300'000; ++i) checkRounded(std::bit_cast<float>(static_cast<uint32_t>(random())));
       }},
  };
}

}  // namespace fovea::test
