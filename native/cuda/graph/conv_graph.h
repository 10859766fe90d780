#pragma once

#include <cudnn.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/conv_geometry.h"
#include "cuda/graph/descriptor.h"

namespace fovea::cuda::graph {

/** The names under which a plan is given its pointers. */
enum Uid : int64_t { kX = 'x', kW = 'w', kY = 'y', kBias = 'b', kResidual = 'z' };

/**
 * A convolution for cuDNN: `geometry` with operands all of `geometry.type`, the kernel laid out [o,kh,kw,c/groups].
 * Its `bias` and `relu` count for the forward direction only, where y = relu(conv(x, w) + residual + bias). ReLU and
 * the residual need a bias: only this order has engines that need no compiler at run time.
 */
struct ConvProblem {
  ConvGeometry geometry;
  bool bias = false, residual = false, relu = false;

  /** Without the activation and bias of a descriptor, which cuDNN does not do backward. */
  static ConvProblem of(const ConvGeometry& geometry);
  /** Everything a choice of engine depends on. */
  std::string key() const;
  /** What an error message says. */
  std::string describe() const;
  /** The same convolution of an input that is padded already. */
  ConvProblem withoutPadding() const;
};

cudnnDataType_t dataType(DType type);

/** A finalized operation graph. Its operations live as long as it does. */
class ConvGraph {
 public:
  /** @param handle null where plans are made without a device. Throws Refusal. */
  ConvGraph(const ConvProblem& problem, cudnnHandle_t handle);
  const Descriptor& descriptor() const { return graph_; }

 private:
  std::deque<Descriptor> parts_;  ///< Others point at them.
  Descriptor graph_;
};

}  // namespace fovea::cuda::graph
