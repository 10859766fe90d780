#pragma once

#include <string>
#include <vector>

#include "core/descriptors.h"
#include "cuda/kernel.h"

namespace fovea::cuda {

/**
 * A reduction over some axes, ready to be launched; for `reduce` and within other kernels (bias gradients).
 *
 * x is float32, bfloat16, float16 or int32; y is of the same dtype, or float32 beside a narrower x.
 */
class Reduction {
 public:
  Reduction(ReduceMode mode, DType x, const Dims& xDims, const std::vector<int64_t>& axes, DType y);

  size_t workspaceBytes() const;
  void run(Context& context, const char* op, const void* x, void* y, void* workspace) const;

 private:
  struct Plan {
    Dims keptDims, keptStrides, reducedDims, reducedStrides;
    int64_t outputs = 1, total = 1, chunks = 1, chunkSize = 1;
    int columns = 1, lanes = 1;
    bool lanesTogether = false;
    double divisor = 1;
  };
  static Plan plan(const Dims& dims, const std::vector<int64_t>& axes);
  template <class X>
  void runAs(Context& context, const char* op, const void* x, void* y, void* workspace) const;

  ReduceMode mode_;
  DType x_, y_;
  Plan plan_;
};

/** Sums rows of [rows, channels]: the gradient of a bias. */
inline Reduction rowSum(DType x, int64_t rows, int64_t channels, DType y) {
  return Reduction(ReduceMode::kSum, x, {rows, channels}, {0}, y);
}

}  // namespace fovea::cuda
