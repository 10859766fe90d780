#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/dtype.h"

namespace fovea {

using Dims = std::vector<int64_t>;

/** Type and shape of a dense, row-major value (activations NHWC, convolution kernels HWIO). */
struct TensorDesc {
  DType dtype = DType::kFloat32;
  Dims dims;
  /** An input that no step of the plan writes: what a kernel makes of it can be kept as long as it is the same. */
  bool steady = false;

  int64_t rank() const { return static_cast<int64_t>(dims.size()); }
  int64_t size() const {
    int64_t n = 1;
    for (int64_t d : dims) n *= d;
    return n;
  }
  size_t bytes() const { return static_cast<size_t>(size()) * bytesPerElement(dtype); }
  bool operator==(const TensorDesc& o) const { return dtype == o.dtype && dims == o.dims; }
};

/** "float32 [2,28,28,1]", for messages. */
inline std::string describe(const TensorDesc& d) {
  std::string s = std::string(nameOf(d.dtype)) + " [";
  for (size_t i = 0; i < d.dims.size(); ++i) s += (i ? "," : "") + std::to_string(d.dims[i]);
  return s + "]";
}

}  // namespace fovea
