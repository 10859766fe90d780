#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/backend.h"
#include "core/descriptors.h"
#include "cpu/kernel_base.h"

/** @file What the implementations of the three convolution kernels share. */
namespace fovea::cpu {

enum class ConvKind : uint8_t { kForward, kBackwardInput, kBackwardKernel };

/** One convolution: x [n,h,w,c], kernel [kh,kw,c/groups,o], y [n,oh,ow,o], whichever of them is the output. */
struct Conv {
  ConvKind kind = ConvKind::kForward;
  int64_t n = 0, h = 0, w = 0, c = 0, oh = 0, ow = 0, o = 0, kh = 0, kw = 0;
  int64_t sh = 1, sw = 1, dh = 1, dw = 1;
  int64_t top = 0, bottom = 0, left = 0, right = 0;
  int64_t groups = 1;
  bool bias = false;  ///< Forward: a third input; backward kernel: a second output.
  bool relu = false;
  bool steady = false;                 ///< The kernel stays the same from launch to launch: see Packed.
  DType type = DType::kFloat32;        ///< Of x, y and their gradients.
  DType kernelType = DType::kFloat32;  ///< Of the kernel or its gradient: `type`, or float32.
  DType biasType = DType::kFloat32;    ///< Of the bias or its gradient: `type`, or float32.

  /** Types and shapes of the kernel's operands. */
  Operands operands() const;
  /** The same convolution of float32 operands. */
  Conv inFloat32() const;
  int64_t cg() const { return c / groups; }
  int64_t og() const { return o / groups; }
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
/** The gradient by the kernel from kernels of `make`, one a thread with its share of the images. */
KernelPtr makeSharedGradient(const Conv&, const ConvMaker& make);
// The following know float32 only.

/** Own Winograd code on NHWC, 3x3 of stride 1; needs AVX-512. A little less accurate than the others. */
KernelPtr makeWinogradConv(const Conv&);
/** im2col and a matrix product per group: always applies. */
KernelPtr makeGemmConv(const Conv&);
/** Own loops for one input and one output channel a group. */
KernelPtr makeDepthwiseConv(const Conv&);

/** dbias[j] = sum of rows of dy [rows, o]; `scratch` holds biasScratch(o) bytes. */
void sumBias(const float* dy, int64_t rows, int64_t o, float* dbias, void* scratch);
size_t biasScratch(int64_t o);

/** y[i][j] += bias[j] (where given), then ReLU (where asked), rows of o floats with stride `ld`. */
void biasRelu(float* y, int64_t rows, int64_t o, int64_t ld, const float* bias, bool relu);

}  // namespace fovea::cpu
