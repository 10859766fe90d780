#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/backend.h"
#include "core/conv_geometry.h"
#include "core/descriptors.h"
#include "cpu/kernel_base.h"

/** @file What the implementations of the three convolution kernels share. */
namespace fovea::cpu {

/** One convolution as the CPU sees it; a steady kernel is packed once: see Packed. */
struct Conv : ConvGeometry {
  /** Its result has left the caches before it is read: see streaming.h. */
  bool streams = false;
  /** Images, or positions of a pointwise one, of the pieces that oneDNN's are cut into; 0 leaves that to Pieces. */
  int64_t piece = 0;

  /** Types and shapes of the kernel's operands. */
  Operands operands() const;
  /** The same convolution of float32 operands. */
  Conv inFloat32() const;
  /** Multiplications and additions. */
  double flops() const {
    return 2.0 * static_cast<double>(n * oh * ow) * static_cast<double>(o) * static_cast<double>(kh * kw * cg());
  }
  bool pointwise() const { return kh == 1 && kw == 1 && sh == 1 && sw == 1 && top + bottom + left + right == 0; }
  std::string key() const;
};

/** Makes one implementation of `conv`, or null where it does not apply. */
using ConvMaker = std::function<KernelPtr(const Conv&)>;

/** oneDNN on NHWC operands as they are, bfloat16 too. Null instead of a reference implementation. */
KernelPtr makeOnednnConv(const Conv&);
/** oneDNN in its own blocked layouts, with reorders in the workspace: for odd channel counts. */
KernelPtr makeOnednnBlockedConv(const Conv&);
/** oneDNN's product by blocks of matrices, for pointwise ones. Null where it has none, as without AVX-512. */
KernelPtr makeMatmulConv(const Conv&);
/** The gradient by the kernel from kernels of `make`, one a thread with its share of the images. */
KernelPtr makeSharedGradient(const Conv&, const ConvMaker& make);

/** How much of a convolution own Winograd code takes at once: what pays depends on channels and caches. */
enum class WinogradBlock : uint8_t { kLarge, kCached };
/**
 * Its tiles. Of stride 1, large ones need fewer products and a larger kernel, and have two times the error or more;
 * tiny ones need more products and a smaller kernel.
 */
enum class WinogradTile : uint8_t { kTiny, kSmall, kLarge };
/**
 * Own Winograd code on NHWC, 3x3 and 5x5 of stride 1, 3x3 of stride 2 in small tiles; needs AVX2. A little less
 * accurate than the others. Tiny tiles are for 3x3 of stride 1. Null for kCached where it would
 * be much the same as kLarge; by kernel, where kCached is for the shares of threads, where the sums of a share are
 * larger than what is summed. Images may be of bfloat16; kernels and biases are float32.
 */
KernelPtr makeWinogradConv(const Conv&, WinogradBlock, WinogradTile = WinogradTile::kSmall);
/** Whether Winograd's sums by kernel, one for each of so many threads, are together smaller than what is summed. */
bool winogradSharesFit(const Conv&, int64_t threads, WinogradTile);
/**
 * Own rows of depthwise 3x3 filters of stride 1; needs AVX2 and a vector of channels. Images may be of bfloat16;
 * kernels and biases are float32.
 */
KernelPtr makeFiltersConv(const Conv&);
// The following know float32 only.

/**
 * Own products of rows that pointers name, for any kernel, stride and dilation; needs AVX2. Null for groups of few
 * channels.
 */
KernelPtr makeIndirectConv(const Conv&);
/** im2col and a matrix product per group: always applies. */
KernelPtr makeGemmConv(const Conv&);
/** Own loops for one input and one output channel a group. */
KernelPtr makeDepthwiseConv(const Conv&);

/** dbias[j] = sum of rows of dy [rows, o]; `scratch` holds biasScratch(o) bytes. T is float or BFloat16. */
template <class T>
void sumBias(const T* dy, int64_t rows, int64_t o, float* dbias, void* scratch);
size_t biasScratch(int64_t o);

/** y[i][j] += bias[j] + residual[i][j] (where given), then ReLU (where asked), over rows of o floats. */
void finishRows(float* y, int64_t rows, int64_t o, const float* bias, const float* residual, bool relu);

}  // namespace fovea::cpu
