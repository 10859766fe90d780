#include "emulator/convolution.h"

#include <algorithm>
#include <utility>

namespace fovea::emulator {
namespace {

/** Compiled for AVX2 as well, chosen when the library is loaded: the loops in which training spends its time. */
#define FOVEA_CLONED __attribute__((target_clones("arch=haswell", "default")))

FOVEA_CLONED double dot(const float* a, const float* b, int64_t n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

/** to[i] += the sum over j of scales[j * scaleStep] * from[j * n + i]: rows of a matrix, four at a time. */
FOVEA_CLONED void addScaledRows(const float* scales, int64_t scaleStep, const float* from, int64_t rows, double* to,
                                int64_t n) {
  int64_t j = 0;
  for (; j + 4 <= rows; j += 4, from += 4 * n) {
    const double s0 = scales[j * scaleStep], s1 = scales[(j + 1) * scaleStep], s2 = scales[(j + 2) * scaleStep],
                 s3 = scales[(j + 3) * scaleStep];
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      to[i] += s0 * from[i] + s1 * from[n + i] + (s2 * from[2 * n + i] + s3 * from[3 * n + i]);
    }
  }
  for (; j < rows; ++j, from += n) {
    const double scale = scales[j * scaleStep];
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) to[i] += scale * from[i];
  }
}

}  // namespace

Convolution::Convolution(Geometry geometry)
    : g_(std::move(geometry)),
      channels_(g_.w[1]),
      groups_(g_.x[1] / channels_),
      perGroup_(g_.w[0] / groups_),
      window_(channels_ * g_.w[2] * g_.w[3]) {}

/** Calls `visit(offset in x, offset in the windows)` for the taps of a row of windows that lie within the image. */
template <class Visit>
void Convolution::taps(int64_t n, int64_t p, int64_t group, Visit visit) const {
  const int64_t filterHeight = g_.w[2], filterWidth = g_.w[3];
  for (int64_t q = 0; q < g_.y[3]; ++q)
    for (int64_t r = 0; r < filterHeight; ++r) {
      const int64_t h = p * g_.strides[0] - g_.pre[0] + r * g_.dilations[0];
      if (h < 0 || h >= g_.x[2]) continue;
      for (int64_t s = 0; s < filterWidth; ++s) {
        const int64_t column = q * g_.strides[1] - g_.pre[1] + s * g_.dilations[1];
        if (column < 0 || column >= g_.x[3]) continue;
        const int64_t tap =
            g_.flipped ? (filterHeight - 1 - r) * filterWidth + filterWidth - 1 - s : r * filterWidth + s;
        visit(((n * g_.x[2] + h) * g_.x[3] + column) * g_.x[1] + group * channels_, q * window_ + tap * channels_);
      }
    }
}

/** The windows of a row, one after the other; zeros where they stick out. */
void Convolution::gather(const std::vector<float>& x, int64_t n, int64_t p, int64_t group,
                         std::vector<float>& windows) const {
  windows.assign(static_cast<size_t>(g_.y[3] * window_), 0);
  taps(n, p, group, [&](int64_t from, int64_t to) { std::copy_n(x.data() + from, channels_, windows.data() + to); });
}

std::vector<double> Convolution::forward(const std::vector<float>& x, const std::vector<float>& w) const {
  const int64_t filters = g_.y[1], rows = g_.y[2], columns = g_.y[3];
  std::vector<double> y(static_cast<size_t>(g_.y[0] * rows * columns * filters), 0);
#pragma omp parallel for
  for (int64_t row = 0; row < g_.y[0] * rows; ++row) {
    std::vector<float> windows;
    for (int64_t group = 0; group < groups_; ++group) {
      gather(x, row / rows, row % rows, group, windows);
      for (int64_t k = group * perGroup_; k < (group + 1) * perGroup_; ++k)
        for (int64_t q = 0; q < columns; ++q) {
          y[static_cast<size_t>((row * columns + q) * filters + k)] =
              dot(windows.data() + q * window_, w.data() + k * window_, window_);
        }
    }
  }
  return y;
}

std::vector<double> Convolution::backwardData(const std::vector<float>& dy, const std::vector<float>& w) const {
  const int64_t filters = g_.y[1], rows = g_.y[2], columns = g_.y[3];
  std::vector<double> dx(static_cast<size_t>(g_.x[0] * g_.x[1] * g_.x[2] * g_.x[3]), 0);
#pragma omp parallel for
  for (int64_t n = 0; n < g_.y[0]; ++n) {
    std::vector<double> windows;
    for (int64_t p = 0; p < rows; ++p)
      for (int64_t group = 0; group < groups_; ++group) {
        windows.assign(static_cast<size_t>(columns * window_), 0);
        for (int64_t q = 0; q < columns; ++q) {
          addScaledRows(dy.data() + ((n * rows + p) * columns + q) * filters + group * perGroup_, 1,
                        w.data() + group * perGroup_ * window_, perGroup_, windows.data() + q * window_, window_);
        }
        taps(n, p, group, [&](int64_t to, int64_t from) {
          for (int64_t c = 0; c < channels_; ++c) {
            dx[static_cast<size_t>(to + c)] += windows[static_cast<size_t>(from + c)];
          }
        });
      }
  }
  return dx;
}

std::vector<double> Convolution::backwardFilter(const std::vector<float>& x, const std::vector<float>& dy) const {
  const int64_t filters = g_.y[1], rows = g_.y[2], columns = g_.y[3];
  std::vector<double> dw(static_cast<size_t>(filters * window_), 0);
#pragma omp parallel
  {
    std::vector<float> windows;
    for (int64_t row = 0; row < g_.y[0] * rows; ++row)
      for (int64_t group = 0; group < groups_; ++group) {
        // Each thread lays the windows out for the filters that are its own: in the same order for any number of them.
        gather(x, row / rows, row % rows, group, windows);
#pragma omp for schedule(static) nowait
        for (int64_t k = group * perGroup_; k < (group + 1) * perGroup_; ++k) {
          addScaledRows(dy.data() + row * columns * filters + k, filters, windows.data(), columns,
                        dw.data() + k * window_, window_);
        }
      }
  }
  return dw;
}

}  // namespace fovea::emulator
