#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "core/bfloat16.h"
#include "core/pool_geometry.h"
#include "cpu/narrow.h"
#include "cpu/simd.h"

/** @file Where gradients of pooling windows that overlap are summed: a row of the image after the other. */
namespace fovea::cpu {

/** Rows or columns [begin, end) of the input. */
struct PoolSpan {
  int64_t begin, end;
};

/** Zeros in rows `cleared`..end-1 of `count` channels: just before they are added to, while they are in cache. */
FOVEA_INLINE void clearRows(const Pool2dGeometry& g, float* target, int64_t count, int64_t& cleared, int64_t end) {
  for (; cleared < end; ++cleared) {
    float* row = target + cleared * g.w * g.c;
    for (int64_t i = 0; i < g.w; ++i) {
      for (int64_t j = 0; j < count; ++j) row[i * g.c + j] = 0;
    }
  }
}

/** Where gradients of windows that overlap are summed in float32: in the result itself where that is its type. */
class SumsInPlace {
 public:
  SumsInPlace(const Pool2dGeometry& g, float* image, int64_t from, int64_t to, float*)
      : g_(g), image_(image + from), count_(to - from) {}
  /** Makes the rows of a window ready, and those before them that no later window reaches. */
  FOVEA_INLINE void take(PoolSpan rows) { clearRows(g_, image_, count_, cleared_, rows.end); }
  /** The sums of an element, and how far on those of the one beside it are. */
  FOVEA_INLINE float* at(int64_t iy, int64_t ix) const { return image_ + (iy * g_.w + ix) * g_.c; }
  FOVEA_INLINE int64_t step() const { return g_.c; }
  FOVEA_INLINE void finish() { clearRows(g_, image_, count_, cleared_, g_.h); }
  static int64_t scratch(const Pool2dGeometry&) { return 0; }

 private:
  const Pool2dGeometry& g_;
  float* image_;
  int64_t count_, cleared_ = 0;
};

/** Sums beside a result of 16 bits: as many rows as a window has, each rounded when the last window has left it. */
class SumsInRing {
 public:
  SumsInRing(const Pool2dGeometry& g, BFloat16* image, int64_t from, int64_t to, float* ring)
      : g_(g), image_(image + from), count_(to - from), ring_(ring) {}
  FOVEA_INLINE void take(PoolSpan rows) {
    round(std::min(rows.begin, g_.h));
    for (; cleared_ < rows.end; ++cleared_) {
      float* row = at(cleared_, 0);
      for (int64_t i = 0; i < g_.w * count_; ++i) row[i] = 0;
    }
  }
  FOVEA_INLINE float* at(int64_t iy, int64_t ix) const { return ring_ + (iy % g_.kh * g_.w + ix) * count_; }
  FOVEA_INLINE int64_t step() const { return count_; }
  FOVEA_INLINE void finish() { round(g_.h); }
  static int64_t scratch(const Pool2dGeometry& g) { return g.kh * g.w * g.c; }

 private:
  /** Rows rounded_..end-1; those that no window reached are 0. */
  FOVEA_INLINE void round(int64_t end) {
    for (; rounded_ < end; ++rounded_) {
      BFloat16* row = image_ + rounded_ * g_.w * g_.c;
      const float* sums = at(rounded_, 0);
      const bool reached = rounded_ < cleared_;
      for (int64_t i = 0; i < g_.w; ++i, row += g_.c, sums += count_) {
#pragma omp simd
        for (int64_t j = 0; j < count_; ++j) store(row + j, reached ? sums[j] : 0.0f);
      }
    }
    cleared_ = std::max(cleared_, rounded_);
  }

  const Pool2dGeometry& g_;
  BFloat16* image_;
  int64_t count_;
  float* ring_;
  int64_t cleared_ = 0, rounded_ = 0;
};

template <class T>
using Sums = std::conditional_t<std::is_same_v<T, float>, SumsInPlace, SumsInRing>;

}  // namespace fovea::cpu
