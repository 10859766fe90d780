#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

/**
 * @file
 * IEEE half precision for the doubles, on purpose not the code of the kernels they are to test: by way of double
 * arithmetic, slow and evidently right.
 */
namespace fovea::emulator {

inline float halfToFloat(uint16_t h) {
  const int exponent = (h >> 10) & 31, fraction = h & 1023;
  const double sign = h & 0x8000 ? -1 : 1;
  if (exponent == 31) return fraction ? NAN : static_cast<float>(sign * INFINITY);
  const double value = exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
  return static_cast<float>(sign * value);
}

inline uint16_t floatToHalf(float f) {
  if (f != f) return 0x7e00;
  const uint16_t sign = std::signbit(f) ? 0x8000 : 0;
  const double magnitude = std::fabs(static_cast<double>(f));
  if (magnitude >= 65520) return sign | 0x7c00;
  int exponent = magnitude == 0 ? -14 : std::ilogb(magnitude);
  if (exponent < -14) exponent = -14;
  // In units of the last place; nearbyint rounds ties to even.
  const auto units = static_cast<uint32_t>(std::nearbyint(std::ldexp(magnitude, 10 - exponent)));
  // A carry out of the fraction lands in the exponent, as it should; subnormals have exponent bits 0.
  return static_cast<uint16_t>(sign | (units < 1024 ? units : ((exponent + 15) << 10) + (units - 1024)));
}

}  // namespace fovea::emulator
