#pragma once

#include <bit>
#include <cstdint>

/**
 * @file
 * IEEE 754 binary16: 1 sign, 5 exponent and 10 mantissa bits. Plain C++ that a CUDA compiler takes too.
 */
namespace fovea {

/** One stored element; arithmetic is done on floats. */
struct Float16 {
  uint16_t bits;
};
static_assert(sizeof(Float16) == 2);

/** Exact. */
constexpr float toFloat(Float16 v) {
  const uint32_t sign = (v.bits & 0x8000u) << 16, exponent = (v.bits >> 10) & 0x1fu, mantissa = v.bits & 0x3ffu;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  // Subnormal: a whole number of 2^-24.
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(static_cast<float>(mantissa) * 0x1p-24f));
}

/** Rounds to nearest, ties to even, into the subnormals too; NaN stays NaN, what lies beyond 65504 gives infinity. */
constexpr Float16 toFloat16(float v) {
  const auto u = std::bit_cast<uint32_t>(v);
  const uint32_t sign = (u >> 16) & 0x8000u, magnitude = u & 0x7fffffffu;
  uint32_t bits = 0;
  if (magnitude > 0x7f800000u) {
    bits = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
  } else if (magnitude >= 0x477ff000u) {  // 65520: halfway to the number after the largest.
    bits = 0x7c00u;
  } else if (magnitude < 0x38800000u) {  // Below 2^-14: adding 0.5 rounds to a multiple of 2^-24.
    bits = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
  } else {
    bits = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  }
  return {static_cast<uint16_t>(sign | bits)};
}

}  // namespace fovea
