#pragma once

#include <bit>
#include <cstdint>

/**
 * @file
 * bfloat16: the upper half of a float. Plain C++ without branches, so that loops over it vectorise and a CUDA compiler
 * takes it too.
 */
namespace fovea {

/** One stored element; arithmetic is done on floats. */
struct BFloat16 {
  uint16_t bits;
};
static_assert(sizeof(BFloat16) == 2);

/** Exact. */
constexpr float toFloat(BFloat16 v) { return std::bit_cast<float>(static_cast<uint32_t>(v.bits) << 16); }

/** Rounds to nearest, ties to even; NaN stays NaN, overflow gives infinity. */
constexpr BFloat16 toBFloat16(float v) {
  const auto u = std::bit_cast<uint32_t>(v);
  const uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16, quiet = (u >> 16) | 0x40u;
  return {static_cast<uint16_t>(v != v ? quiet : rounded)};
}

}  // namespace fovea
