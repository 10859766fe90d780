#pragma once

#include <cstdint>

#include "cuda/kernels/block.h"

namespace fovea::cuda {

/**
 * Division by a number known at preparation. Below 2^31 it is a multiplication and a shift (Granlund and Montgomery
 * 1994); larger operands divide in 64 bits.
 */
struct Divisor {
  int64_t d = 1;
  uint64_t magic = 0;  ///< ceil(2^shift / d), at most 2^32; 0 where d is above 2^31.
  int shift = 31;

  Divisor() = default;
  bool operator==(const Divisor&) const = default;
  explicit Divisor(int64_t divisor) : d(divisor < 1 ? 1 : divisor) {
    int log = 0;
    while (log < 31 && (int64_t{1} << log) < d) ++log;
    if (d > (int64_t{1} << 31)) return;
    shift = 31 + log;
    magic = ((uint64_t{1} << shift) + static_cast<uint64_t>(d) - 1) / static_cast<uint64_t>(d);
  }

  /** n / d for n >= 0. */
  FOVEA_HD int64_t quotient(int64_t n) const {
    if (n <= 0x7fffffff && magic != 0) {
      return static_cast<int64_t>((static_cast<uint64_t>(n) * magic) >> shift);
    }
    return n / d;
  }
};

/** Takes the last axis off a flat index: returns its coordinate, leaves the rest in `index`. */
FOVEA_HD int64_t popAxis(int64_t& index, const Divisor& size) {
  const int64_t q = size.quotient(index), r = index - q * size.d;
  index = q;
  return r;
}

}  // namespace fovea::cuda
