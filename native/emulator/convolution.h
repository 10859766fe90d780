#pragma once

#include <cstdint>
#include <vector>

namespace fovea::emulator {

/** Sizes in cuDNN's order: images N,C,H,W; filters K,C/groups,R,S. */
struct Geometry {
  std::vector<int64_t> x, w, y;
  std::vector<int64_t> pre, strides, dilations;  ///< padding before, by height and width
  bool flipped = false;                          ///< a convolution as mathematics has it, not a cross-correlation
};

/**
 * A convolution and its gradients, of data in the order N,H,W,C (filters K,R,S,C), with sums in double. Of a few
 * positions of the result at a time the windows are laid out as a matrix ("im2col"), which the filters or the gradients
 * multiply.
 */
class Convolution {
 public:
  explicit Convolution(Geometry geometry);

  std::vector<double> forward(const std::vector<float>& x, const std::vector<float>& w) const;
  std::vector<double> backwardData(const std::vector<float>& dy, const std::vector<float>& w) const;
  std::vector<double> backwardFilter(const std::vector<float>& x, const std::vector<float>& dy) const;

 private:
  template <class Visit>
  void taps(int64_t first, int64_t count, int64_t group, Visit visit) const;
  void gather(const std::vector<float>& x, int64_t first, int64_t count, int64_t group, float* windows) const;

  Geometry g_;
  int64_t channels_, groups_, perGroup_, window_, positions_;
};

}  // namespace fovea::emulator
