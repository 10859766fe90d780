#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/check_operands.h"
#include "core/descriptors.h"

/** @file The three convolution kernels' operands, checked and taken apart. */
namespace fovea {

enum class ConvKind : uint8_t { kForward, kBackwardInput, kBackwardKernel };

/** The kernel's name in docs/kernels.md. */
inline const char* nameOf(ConvKind kind) {
  switch (kind) {
    case ConvKind::kForward:
      return "conv2d";
    case ConvKind::kBackwardInput:
      return "conv2dBackwardInput";
    default:
      return "conv2dBackwardKernel";
  }
}

/** One convolution: x [n,h,w,c], kernel [kh,kw,c/groups,o], y [n,oh,ow,o], whichever of them is the output. */
struct ConvGeometry {
  ConvKind kind = ConvKind::kForward;
  int64_t n = 0, h = 0, w = 0, c = 0, oh = 0, ow = 0, o = 0, kh = 0, kw = 0;
  int64_t sh = 1, sw = 1, dh = 1, dw = 1;
  int64_t top = 0, bottom = 0, left = 0, right = 0;
  int64_t groups = 1;
  bool bias = false;      ///< Forward: a third input; backward kernel: a second output.
  bool residual = false;  ///< Forward: the last input, which is like y.
  bool relu = false;
  bool steady = false;                 ///< The kernel stays the same from launch to launch.
  DType type = DType::kFloat32;        ///< Of x, y and their gradients.
  DType kernelType = DType::kFloat32;  ///< Of the kernel or its gradient: `type`, or float32.
  DType biasType = DType::kFloat32;    ///< Of the bias or its gradient: `type`, or float32.

  int64_t cg() const { return c / groups; }
  int64_t og() const { return o / groups; }
  bool padded() const { return top + bottom + left + right > 0; }
  /** Which input the residual is. */
  size_t residualInput() const { return bias ? 3 : 2; }
};

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline ConvGeometry parseConv(ConvKind kind, const Conv2dDesc& d) {
  const Check check(nameOf(kind), d);
  const bool forward = kind == ConvKind::kForward, kernelGradient = kind == ConvKind::kBackwardKernel;
  const size_t residuals = forward && d.residual ? 1 : 0;
  check.counts(2 + residuals, (forward ? 3 : 2) + residuals, 1, kernelGradient ? 2 : 1);
  const TensorDesc& x = kind == ConvKind::kBackwardInput ? d.outputs[0] : d.inputs[0];
  const TensorDesc& kernel = kernelGradient ? d.outputs[0] : d.inputs[1];
  const TensorDesc& y = forward ? d.outputs[0] : kernelGradient ? d.inputs[1] : d.inputs[0];
  check.anyFloat(x, "x");
  check.typeOr(kernel, kernelGradient ? "dkernel" : "kernel", x.dtype, DType::kFloat32);
  check.rank(x, "x", 4);
  check.rank(kernel, "kernel", 4);
  check.rank(y, "y", 4);
  ConvGeometry v;
  v.kind = kind;
  v.type = x.dtype;
  v.kernelType = kernel.dtype;
  v.n = x.dims[0], v.h = x.dims[1], v.w = x.dims[2], v.c = x.dims[3];
  v.kh = kernel.dims[0], v.kw = kernel.dims[1], v.o = kernel.dims[3];
  v.oh = y.dims[1], v.ow = y.dims[2];
  v.sh = d.window.strides[0], v.sw = d.window.strides[1], v.dh = d.window.dilations[0], v.dw = d.window.dilations[1];
  v.top = d.window.padding[0], v.bottom = d.window.padding[1];
  v.left = d.window.padding[2], v.right = d.window.padding[3];
  v.groups = d.groups;
  check.that(v.sh > 0 && v.sw > 0 && v.dh > 0 && v.dw > 0, "positive strides and dilations",
             describe(Dims{v.sh, v.sw, v.dh, v.dw}));
  check.that(*std::min_element(d.window.padding.begin(), d.window.padding.end()) >= 0, "padding of 0 or more",
             describe(Dims(d.window.padding.begin(), d.window.padding.end())));
  check.that(v.c > 0 && v.o > 0 && v.kh > 0 && v.kw > 0, "channels and a kernel that are not empty",
             describe(x) + " and " + describe(kernel));
  check.that(v.groups > 0 && v.c % v.groups == 0 && v.o % v.groups == 0, "groups that divide the channels",
             std::to_string(v.groups) + " for " + std::to_string(v.c) + " and " + std::to_string(v.o));
  check.tensor(kernel, "kernel", kernel.dtype, {v.kh, v.kw, v.cg(), v.o});
  const int64_t spanH = v.h + v.top + v.bottom - ((v.kh - 1) * v.dh + 1);
  const int64_t spanW = v.w + v.left + v.right - ((v.kw - 1) * v.dw + 1);
  check.that(spanH >= 0 && spanW >= 0, "a kernel no larger than the padded input", describe(kernel));
  check.tensor(y, "y", x.dtype, {v.n, spanH / v.sh + 1, spanW / v.sw + 1, v.o});
  v.residual = residuals > 0;
  v.bias = d.inputs.size() - residuals == 3 || d.outputs.size() == 2;
  v.steady = !kernelGradient && d.inputs[1].steady;
  v.relu = forward && d.activation == Activation::kRelu;
  if (v.bias) {
    const TensorDesc& bias = forward ? d.inputs[2] : d.outputs[1];
    check.typeOr(bias, "bias", x.dtype, DType::kFloat32);
    check.tensor(bias, "bias", bias.dtype, {v.o});
    v.biasType = bias.dtype;
  }
  if (v.residual) check.tensor(d.inputs.back(), "residual", y.dtype, y.dims);
  return v;
}

}  // namespace fovea
