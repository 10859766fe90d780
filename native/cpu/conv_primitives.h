#pragma once

#include <optional>
#include <string>

#include "cpu/conv.h"
#include "cpu/onednn.h"

/** @file Which of oneDNN's primitives computes a convolution, and which of them are not to be trusted. */
namespace fovea::cpu {

/** A primitive of one direction with what the kernel needs to know of it. */
struct ConvPrimitive {
  dnnl::primitive primitive;
  dl::Desc src, weights, dst, scratchpad;
  std::string name;
  bool addsResidual = false;
};

/** Operands as this library has them: images NHWC, kernels HWIO. */
dl::Desc nhwcSrc(const Conv&);
dl::Desc nhwcDst(const Conv&);
dl::Desc hwio(const Conv&);

/**
 * oneDNN's own choice for images in NHWC, or `blocked` in the layout it likes. None where that would be a reference
 * implementation, or one that is known to be wrong for such a convolution.
 */
std::optional<ConvPrimitive> pickPrimitive(const Conv&, bool blocked);

}  // namespace fovea::cpu
