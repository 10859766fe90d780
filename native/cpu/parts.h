#pragma once

#include <algorithm>
#include <cstdint>

namespace fovea::cpu {

inline int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

/** Parts of 0..count-1, nearly equal, of at most `most`; their number is a multiple of `multiple` where it can be. */
struct Parts {
  int64_t count, parts;
  Parts(int64_t n, int64_t most, int64_t multiple = 1) : count(n) {
    const int64_t rounded = ceilDivide(std::max<int64_t>(ceilDivide(n, most), 1), multiple) * multiple;
    parts = std::clamp<int64_t>(rounded, 1, std::max<int64_t>(n, 1));
  }
  int64_t begin(int64_t i) const { return count * i / parts; }
  int64_t size(int64_t i) const { return begin(i + 1) - begin(i); }
  int64_t largest() const { return ceilDivide(count, parts); }
};

}  // namespace fovea::cpu
