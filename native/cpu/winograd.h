#pragma once

#include <algorithm>
#include <cstdint>

#include "core/bfloat16.h"
#include "cpu/plane.h"

/**
 * @file
 * The transforms of Winograd's convolutions (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2015,
 * section 4), vectorised over channels, NHWC on the outer side. Strides are in floats.
 *
 * F(4x4, 3x3) and F(2x2, 5x5) share the points 0, 1, -1, 2, -2 and infinity and so the input transform: a 6x6 tile of
 * inputs gives a tile of outputs by 36 products a channel pair instead of 144 or 100. F(6x6, 3x3) and F(4x4, 5x5) take
 * 1/2 and -1/2 as well: 64 products instead of 324 or 400, twice to two and a half times the error of the others, and
 * larger transformed kernels; F(2x2, 3x3) only 0, 1 and -1: 16 products instead of 36, and the smallest transformed
 * kernel, which is what counts where images are few and small. A kernel of 3 taps and stride 2 is along a line the sum
 * of two taps on the even inputs, F(4, 2) at 0, 1, -1, 2 and infinity, and of one tap on the odd inputs, which needs no
 * transform: 5 and 4 products for 4 outputs, 81 instead of 144 for 4x4. Its gradient by the input is the same with
 * lines turned around: even outputs are F(4, 2) of the gradients read, odd ones a tap of them.
 *
 * Fewer outputs, at the edge of a plane, are F(3, 3), F(2, 3), F(1, 3) and so on at the first of the points, scaled to
 * take the same transformed kernel: what the transforms of kernels divide by, those of images multiply by.
 */
namespace fovea::cpu::winograd {

enum class Form : uint8_t {
  kThree,       ///< F(4x4, 3x3).
  kThreeTiny,   ///< F(2x2, 3x3).
  kThreeLarge,  ///< F(6x6, 3x3).
  kFive,        ///< F(2x2, 5x5).
  kFiveLarge,   ///< F(4x4, 5x5).
  kStrided,     ///< 3x3 of stride 2.
  kTransposed,  ///< The gradient of kStrided by its input, which is what it writes; dy is what it reads.
};

/** A line of a tile, down or across: what it reads, its elements when transformed, its outputs. */
struct Line {
  int64_t reads, elements, tile;
  /** The points but infinity, which is the element after them; those after it, if any, are one of odd inputs each. */
  int points;
  /** Elements of a line of the transformed kernel: its last one is for all those of the image's from there on. */
  int64_t kernel;
};

constexpr Line lineOf(Form form) {
  switch (form) {
    case Form::kThreeTiny:
      return {4, 4, 2, 3, 4};
    case Form::kThreeLarge:
      return {8, 8, 6, 7, 8};
    case Form::kFive:
      return {6, 6, 2, 5, 6};
    case Form::kFiveLarge:
      return {8, 8, 4, 7, 8};
    case Form::kStrided:
      return {9, 9, 4, 4, 6};
    case Form::kTransposed:
      return {5, 9, 8, 4, 6};
    default:
      return {6, 6, 4, 5, 6};
  }
}

/** Elements of a transformed tile, and of a transformed kernel. */
constexpr int64_t elementsOf(Form form) { return lineOf(form).elements * lineOf(form).elements; }
constexpr int64_t kernelElementsOf(Form form) { return lineOf(form).kernel * lineOf(form).kernel; }

/** Where a tile's inputs begin, down or across, but for the padding, when its outputs begin at `output`. */
constexpr int64_t inputAt(Form form, int64_t output) {
  return form == Form::kStrided ? 2 * output : form == Form::kTransposed ? output / 2 : output;
}

/** How many of the points a tile takes down and across; infinity is always taken. Of odd inputs it takes as many. */
struct Points {
  int down = 0, across = 0;
};

/** Those of the tile at (top, left) of the outputs: as many as its outputs there need. */
constexpr Points pointsOf(Form form, const Plane& outputs, int64_t top, int64_t left) {
  const auto along = [&](int64_t rest) {
    const Line line = lineOf(form);
    const int64_t fewer = std::max(line.tile - rest, int64_t{0});
    return line.points - static_cast<int>(form == Form::kTransposed ? fewer / 2 : fewer);
  };
  return {along(outputs.height - top), along(outputs.width - left)};
}

constexpr bool whole(Form form, Points points) {
  return points.down == lineOf(form).points && points.across == lineOf(form).points;
}

/** Whether a line of so many points has this element. */
constexpr bool takes(const Line& line, int points, int64_t element) {
  return element < points || element == line.points || (element > line.points && element <= line.points + points);
}

/** For kTransposed: whether the first output of a tile is an odd one, down and across; tiles of a plane are alike. */
struct OddFirst {
  bool down = false, across = false;
};

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
 * The transforms of images of floats or BFloat16 for one form and instruction set; transformed values are floats, and
 * elements lie `stride` apart. Elements that a tile does not take (`pointsOf`) are neither read nor written.
 */
template <class T>
struct ImageTransforms {
  /** v = B^T x B of the tile of inputs at (top, left) of x; outside is 0. Channels beyond the last come out 0. */
  void (*input)(const T* x, const Plane& plane, int64_t top, int64_t left, Points points, OddFirst odd, float* v,
                int64_t stride);

  /** y = A^T m A, finished, into the tile at (top, left); positions outside are left alone. */
  void (*output)(const float* m, int64_t stride, T* y, const Plane& plane, int64_t top, int64_t left, OddFirst odd,
                 const Finish<T>& finish);

  /**
   * v = A y A^T of the tile at (top, left) of y (outside is 0): what the gradient by the kernel needs. Panels of
   * channels (kPanel) lie `panel` floats apart. Null for kTransposed.
   */
  void (*outputTransposed)(const T* y, const Plane& plane, int64_t top, int64_t left, float* v, int64_t stride,
                           int64_t panel);
};

/** The transforms of kernels of one form. */
struct KernelTransforms {
  /**
   * u = G w G^T for `count` channels, 0 for those from there to kBlock; positions of w lie `positionStride` apart.
   * `rotated` turns w by 180 degrees.
   */
  void (*kernel)(const float* w, int64_t positionStride, int64_t count, float* u, int64_t stride, bool rotated);

  /** dw = G^T u G for `count` channels, at most kBlock. */
  void (*kernelTransposed)(const float* u, int64_t stride, int64_t count, float* dw, int64_t positionStride);
};

/** Those for this processor, T float or BFloat16; not to be called where `simd()` is none. */
template <class T>
const ImageTransforms<T>& imageTransforms(Form form);
const KernelTransforms& kernelTransforms(Form form);

}  // namespace fovea::cpu::winograd
