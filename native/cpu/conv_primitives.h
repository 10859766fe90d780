#pragma once

#include <optional>
#include <string>

#include "cpu/conv.h"
#include "cpu/onednn.h"

/** @file Which of oneDNN's primitives computes a convolution, and which of them are not to be trusted. */
namespace fovea::cpu {

/** Operands of a convolution in some layout: the images' side, the kernel, the results' side. */
struct ConvLayouts {
  dl::Desc src, weights, dst;
};

/** A primitive of one direction with what the kernel needs to know of it. */
struct ConvPrimitive {
  dnnl::primitive primitive;
  ConvLayouts own;   ///< As the primitive wants them;
  ConvLayouts user;  ///< as this library has them: images NHWC, kernels HWIO.
  dl::Desc bias;     ///< Empty where there is none.
  dl::Desc scratchpad;
  std::string name;
  struct Arguments {
    int src, weights, dst, bias;
  } arguments;  ///< What the primitive calls them.
  bool addsResidual = false;

  /** Whether images are taken and results given as they are. */
  bool inPlace() const { return own.src == user.src && own.dst == user.dst; }
};

/** How a kernel finds its primitive: none where it does not apply. */
using ConvPicker = std::optional<ConvPrimitive> (*)(const Conv&);

/**
 * oneDNN's own choice for images in NHWC, and with `pickBlocked` in the layout it likes. None where that would be a
 * reference implementation, or one that is known to be wrong for such a convolution.
 */
std::optional<ConvPrimitive> pickPlain(const Conv&);
std::optional<ConvPrimitive> pickBlocked(const Conv&);

/** A pointwise convolution as one matrix product, where oneDNN has its kernels by blocks of matrices for that. */
std::optional<ConvPrimitive> pickMatmul(const Conv&);

}  // namespace fovea::cpu
