#include "emulator/convolution.h"

#include <algorithm>
#include <utility>

namespace fovea::emulator {
namespace {

/** Compiled for AVX2 as well, chosen when the library is loaded: the loops in which training spends its time. */
#define FOVEA_CLONED __attribute__((target_clones("arch=x86-64-v3", "default")))

/** Windows laid out at a time: with those of the largest filters they stay in a core's cache. */
constexpr int64_t kBlock = 8;

FOVEA_CLONED double dot(const float* a, const float* b, int64_t n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

// Four at a time, not the eight floats that a compiler would choose: the sums of the tiles below fill the registers.
using Floats = float __attribute__((vector_size(16), aligned(4)));
using Doubles = double __attribute__((vector_size(32), aligned(8)));

#define FOVEA_DOUBLES(p) __builtin_convertvector(*reinterpret_cast<const Floats*>(p), Doubles)

/** to[i][j] = a[i] . b[j] for two rows of a and four of b: each element is made a double once for several products. */
FOVEA_CLONED void dots2x4(const float* a, const float* b, int64_t n, double* to, int64_t step) {
  Doubles sums[2][4] = {};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const Doubles u = FOVEA_DOUBLES(a + i), v = FOVEA_DOUBLES(a + n + i);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const Doubles w = FOVEA_DOUBLES(b + j * n + i);
      sums[0][j] += u * w, sums[1][j] += v * w;
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
#pragma GCC unroll 2
    for (int k = 0; k < 2; ++k) {
      double sum = (sums[k][j][0] + sums[k][j][1]) + (sums[k][j][2] + sums[k][j][3]);
      for (int64_t l = i; l < n; ++l) sum += static_cast<double>(a[k * n + l]) * b[j * n + l];
      to[k * step + j] = sum;
    }
  }
}

/** to[i * step + j] = a[i] . b[j] of rows of n. */
void dots(const float* a, int64_t rows, const float* b, int64_t columns, int64_t n, double* to, int64_t step) {
  for (int64_t j = 0; j < columns; j += 4) {
    const int64_t wide = std::min<int64_t>(4, columns - j);
    int64_t i = 0;
    for (; wide == 4 && i + 2 <= rows; i += 2) dots2x4(a + i * n, b + j * n, n, to + i * step + j, step);
    for (; i < rows; ++i)
      for (int64_t k = j; k < j + wide; ++k) to[i * step + k] = dot(a + i * n, b + k * n, n);
  }
}

FOVEA_CLONED void addScaled(double scale, const float* from, double* to, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) to[i] += scale * from[i];
}

/** to[i] += the sum over j of s[i][j] * from[j], for two rows of `to` and four of `from`. */
FOVEA_CLONED void addScaled2x4(const double (&s)[2][4], const float* from, double* to, int64_t n) {
  const double s0 = s[0][0], s1 = s[0][1], s2 = s[0][2], s3 = s[0][3];
  const double t0 = s[1][0], t1 = s[1][1], t2 = s[1][2], t3 = s[1][3];
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const Doubles a = FOVEA_DOUBLES(from + i), b = FOVEA_DOUBLES(from + n + i), c = FOVEA_DOUBLES(from + 2 * n + i),
                  d = FOVEA_DOUBLES(from + 3 * n + i);
    auto* first = reinterpret_cast<Doubles*>(to + i);
    auto* second = reinterpret_cast<Doubles*>(to + n + i);
    *first += s0 * a + s1 * b + s2 * c + s3 * d;
    *second += t0 * a + t1 * b + t2 * c + t3 * d;
  }
  for (; i < n; ++i) {
    const double a = from[i], b = from[n + i], c = from[2 * n + i], d = from[3 * n + i];
    to[i] += s0 * a + s1 * b + s2 * c + s3 * d;
    to[n + i] += t0 * a + t1 * b + t2 * c + t3 * d;
  }
}

/** to[i] += the sum over j of scales[i * down + j * along] * from[j]: rows of n. */
void addScaledRows(const float* scales, int64_t down, int64_t along, const float* from, int64_t count, double* to,
                   int64_t rows, int64_t n) {
  for (int64_t j = 0; j < count; j += 4) {
    const int64_t some = std::min<int64_t>(4, count - j);
    int64_t i = 0;
    for (; some == 4 && i + 2 <= rows; i += 2) {
      double s[2][4];
      for (int64_t k = 0; k < 8; ++k) s[k / 4][k % 4] = scales[(i + k / 4) * down + (j + k % 4) * along];
      addScaled2x4(s, from + j * n, to + i * n, n);
    }
    for (; i < rows; ++i)
      for (int64_t k = j; k < j + some; ++k) addScaled(scales[i * down + k * along], from + k * n, to + i * n, n);
  }
}

}  // namespace

Convolution::Convolution(Geometry geometry)
    : g_(std::move(geometry)),
      channels_(g_.w[1]),
      groups_(g_.x[1] / channels_),
      perGroup_(g_.w[0] / groups_),
      window_(channels_ * g_.w[2] * g_.w[3]),
      positions_(g_.y[0] * g_.y[2] * g_.y[3]) {}

/** Calls `visit(offset in x, offset in the windows)` for the taps of some windows that lie within the image. */
template <class Visit>
void Convolution::taps(int64_t first, int64_t count, int64_t group, Visit visit) const {
  const int64_t filterHeight = g_.w[2], filterWidth = g_.w[3];
  for (int64_t i = 0; i < count; ++i) {
    const int64_t q = (first + i) % g_.y[3], p = (first + i) / g_.y[3] % g_.y[2], n = (first + i) / g_.y[3] / g_.y[2];
    for (int64_t r = 0; r < filterHeight; ++r) {
      const int64_t h = p * g_.strides[0] - g_.pre[0] + r * g_.dilations[0];
      if (h < 0 || h >= g_.x[2]) continue;
      for (int64_t s = 0; s < filterWidth; ++s) {
        const int64_t column = q * g_.strides[1] - g_.pre[1] + s * g_.dilations[1];
        if (column < 0 || column >= g_.x[3]) continue;
        const int64_t tap =
            g_.flipped ? (filterHeight - 1 - r) * filterWidth + filterWidth - 1 - s : r * filterWidth + s;
        visit(((n * g_.x[2] + h) * g_.x[3] + column) * g_.x[1] + group * channels_, i * window_ + tap * channels_);
      }
    }
  }
}

/** Some windows, one after the other; zeros where they stick out. */
void Convolution::gather(const std::vector<float>& x, int64_t first, int64_t count, int64_t group,
                         float* windows) const {
  std::fill_n(windows, count * window_, 0.0f);
  taps(first, count, group, [&](int64_t from, int64_t to) { std::copy_n(x.data() + from, channels_, windows + to); });
}

std::vector<double> Convolution::forward(const std::vector<float>& x, const std::vector<float>& w) const {
  const int64_t filters = g_.y[1];
  std::vector<double> y(static_cast<size_t>(positions_ * filters), 0);
#pragma omp parallel
  {
    std::vector<float> windows(static_cast<size_t>(kBlock * window_));
#pragma omp for schedule(static)
    for (int64_t first = 0; first < positions_; first += kBlock) {
      const int64_t count = std::min(kBlock, positions_ - first);
      for (int64_t group = 0; group < groups_; ++group) {
        gather(x, first, count, group, windows.data());
        dots(windows.data(), count, w.data() + group * perGroup_ * window_, perGroup_, window_,
             y.data() + first * filters + group * perGroup_, filters);
      }
    }
  }
  return y;
}

std::vector<double> Convolution::backwardData(const std::vector<float>& dy, const std::vector<float>& w) const {
  const int64_t filters = g_.y[1], ofImage = g_.y[2] * g_.y[3];
  std::vector<double> dx(static_cast<size_t>(g_.x[0] * g_.x[1] * g_.x[2] * g_.x[3]), 0);
#pragma omp parallel
  {
    std::vector<double> windows(static_cast<size_t>(kBlock * window_));
    // Windows overlap within an image.
#pragma omp for schedule(static)
    for (int64_t n = 0; n < g_.y[0]; ++n) {
      for (int64_t first = n * ofImage; first < (n + 1) * ofImage; first += kBlock) {
        const int64_t count = std::min(kBlock, (n + 1) * ofImage - first);
        for (int64_t group = 0; group < groups_; ++group) {
          std::fill_n(windows.data(), count * window_, 0.0);
          addScaledRows(dy.data() + first * filters + group * perGroup_, filters, 1,
                        w.data() + group * perGroup_ * window_, perGroup_, windows.data(), count, window_);
          taps(first, count, group, [&](int64_t to, int64_t from) {
            for (int64_t c = 0; c < channels_; ++c) {
              dx[static_cast<size_t>(to + c)] += windows[static_cast<size_t>(from + c)];
            }
          });
        }
      }
    }
  }
  return dx;
}

std::vector<double> Convolution::backwardFilter(const std::vector<float>& x, const std::vector<float>& dy) const {
  const int64_t filters = g_.y[1];
  std::vector<double> dw(static_cast<size_t>(filters * window_), 0);
#pragma omp parallel
  {
    std::vector<float> windows(static_cast<size_t>(kBlock * window_));
    for (int64_t first = 0; first < positions_; first += kBlock) {
      const int64_t count = std::min(kBlock, positions_ - first);
      for (int64_t group = 0; group < groups_; ++group) {
        // Each thread lays the windows out for the filters that are its own: in the same order for any number of them.
        gather(x, first, count, group, windows.data());
#pragma omp for schedule(static) nowait
        for (int64_t k = 0; k < perGroup_; k += 2) {
          const int64_t filter = group * perGroup_ + k;
          addScaledRows(dy.data() + first * filters + filter, 1, filters, windows.data(), count,
                        dw.data() + filter * window_, std::min<int64_t>(2, perGroup_ - k), window_);
        }
      }
    }
  }
  return dw;
}

}  // namespace fovea::emulator
