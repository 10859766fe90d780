#pragma once

#include <algorithm>
#include <cstdint>

#include "core/bfloat16.h"
#include "cpu/plane.h"

/**
 * @file
 * The transforms of Winograd's F(4x4, 3x3) (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2015,
 * section 4) and F(2x2, 5x5), which shares its points 0, 1, -1, 2, -2 and so its input transform: a 6x6 input tile
 * gives a tile of outputs by 36 products a channel pair instead of 144 or 100. Vectorised over channels, NHWC on the
 * outer side. Strides are in floats; transformed element e of 36 lies e * stride further. `taps` is the kernel's height
 * and width. Fewer outputs, at the edge of a plane, are F(3, 3), F(2, 3), F(1, 3) or F(1, 5) on the first of the
 * points, scaled to take the same transformed kernel: what the transforms of kernels divide by, those of images
 * multiply by.
 */
namespace fovea::cpu::winograd {

inline constexpr int64_t kInput = 6, kElements = 36;
/** The points but infinity, which is the last element of a line; a tile that takes fewer takes the first of them. */
inline constexpr int kPoints = 5;
/** Height and width of the tile of outputs. */
constexpr int64_t tileFor(int64_t taps) { return kInput - taps + 1; }

/** How many of the points a tile takes down and across; infinity is always taken. */
struct Points {
  int down = kPoints, across = kPoints;
};

/** Those of the tile at (top, left) of the outputs: as many as its outputs there and the taps need. */
constexpr Points pointsOf(int64_t taps, const Plane& outputs, int64_t top, int64_t left) {
  const auto along = [&](int64_t rest) { return static_cast<int>(std::min(rest, tileFor(taps)) + taps - 2); };
  return {along(outputs.height - top), along(outputs.width - left)};
}

/** Whether a line of so many points has this element of 6. */
constexpr bool takes(int points, int64_t element) { return element < points || element == kInput - 1; }

/** Channels that the transforms of a kernel take at once. */
inline constexpr int64_t kBlock = 16;

/** What is added to sums before they are stored: a number a channel, a plane as y has it (either may be null); ReLU. */
template <class T>
struct Finish {
  const float* bias = nullptr;
  const T* residual = nullptr;
  bool relu = false;
};

/**
 * The transforms of images of floats or BFloat16 for one instruction set; transformed values are floats. Elements that
 * a tile does not take (`pointsOf`) are neither read nor written.
 */
template <class T>
struct ImageTransforms {
  /** v = B^T x B of the tile of inputs at (top, left) of x; outside is 0. Channels beyond the last come out 0. */
  void (*input)(const T* x, const Plane& plane, int64_t top, int64_t left, Points points, float* v, int64_t stride);

  /** y = A^T m A, finished, into the tile at (top, left); positions outside are left alone. */
  void (*output)(int taps, const float* m, int64_t stride, T* y, const Plane& plane, int64_t top, int64_t left,
                 const Finish<T>& finish);

  /**
   * v = A y A^T of the tile at (top, left) of y (outside is 0): what the gradient by the kernel needs. Panels of
   * channels (kPanel) lie `panel` floats apart.
   */
  void (*outputTransposed)(int taps, const T* y, const Plane& plane, int64_t top, int64_t left, float* v,
                           int64_t stride, int64_t panel);
};

/** The transforms of kernels. */
struct KernelTransforms {
  /**
   * u = G w G^T for `count` channels, 0 for those from there to kBlock; w has taps * taps positions `positionStride`
   * apart. `rotated` turns w by 180 degrees.
   */
  void (*kernel)(int taps, const float* w, int64_t positionStride, int64_t count, float* u, int64_t stride,
                 bool rotated);

  /** dw = G^T u G for `count` channels, at most kBlock. */
  void (*kernelTransposed)(int taps, const float* u, int64_t stride, int64_t count, float* dw, int64_t positionStride);
};

/** Those for this processor, T float or BFloat16; not to be called where `simd()` is none. */
template <class T>
const ImageTransforms<T>& imageTransforms();
const KernelTransforms& kernelTransforms();

}  // namespace fovea::cpu::winograd
