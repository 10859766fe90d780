#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/conv.h"
#include "cpu/parallel.h"
#include "cpu/parts.h"

/** @file How oneDNN's convolutions are divided among threads. */
namespace fovea::cpu {

/**
 * A convolution cut into pieces of whole images, or of positions where it is pointwise, which threads take in turn.
 * oneDNN's own threads get a fixed share each, and all wait for the one that another process holds up.
 */
struct Pieces {
  static constexpr double kFlops = 8e6;           ///< Of a piece at least: a tenth of a millisecond.
  static constexpr int64_t kMostPerThread = 32;   ///< At most.
  static constexpr int64_t kLeastPositions = 48;  ///< Of a piece: with fewer, reading the kernel would be most of it.

  Conv conv;
  bool positions;
  Parts parts;

  static int64_t items(const Conv& v, bool positions) { return positions ? v.n * v.h * v.w : v.n; }

  explicit Pieces(const Conv& v) : conv(v), positions(v.pointwise() && v.groups == 1), parts(items(v, positions), 1) {
    const int64_t count = items(v, positions), least = positions ? kLeastPositions : 1, threads = maxThreads();
    const auto byWork = static_cast<int64_t>(v.flops() / kFlops);
    const int64_t most = std::min({kMostPerThread * threads, byWork, count / least});
    const bool whole = threads == 1 || v.kind == ConvKind::kBackwardKernel || most < threads;
    const int64_t size = v.piece > 0 ? v.piece : whole ? count : ceilDivide(count, most / threads * threads);
    parts = Parts(count, std::max<int64_t>(size, 1));
  }
  bool whole() const { return parts.parts <= 1; }
  /** The convolution of `size` items. */
  Conv of(int64_t size) const {
    if (whole()) return conv;
    Conv v = conv;
    v.n = positions ? 1 : size;
    if (positions) v.h = v.oh = size, v.w = v.ow = 1;
    return v;
  }
  /** Values of an item on either side. */
  int64_t srcItem() const { return (positions ? 1 : conv.h * conv.w) * conv.c; }
  int64_t dstItem() const { return (positions ? 1 : conv.oh * conv.ow) * conv.o; }
};

}  // namespace fovea::cpu
