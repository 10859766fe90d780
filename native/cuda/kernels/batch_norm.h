#pragma once

#include <cmath>
#include <cstdint>

#include "cuda/kernels/convert.h"
#include "cuda/kernels/divide.h"

/**
 * @file
 * Batch normalization over rows of channels (Ioffe and Szegedy 2015). A thread takes a channel and every lanes-th row
 * of a chunk, sixteen rows at a time: exact two-pass statistics of these, merged in double by Chan, Golub and LeVeque's
 * formula (1979), so a mean far from zero costs no accuracy. Lanes and then chunks are merged in a fixed order.
 */
namespace fovea::cuda {

inline constexpr int kNormThreads = 256;
inline constexpr int kNormRows = 16;       ///< Rows a thread sums up in float.
inline constexpr int kNormJoinLanes = 32;  ///< Threads of one channel when chunks are merged.

/** Rows [m][c], cut into chunks of rows; a block takes `columns` channels of a chunk with `lanes` threads each. */
struct NormGeometry {
  int64_t m, c, chunks, chunkRows;
  int columns, lanes;

  FOVEA_HD int64_t tiles() const { return (c + columns - 1) / columns; }
  FOVEA_HD int64_t begin(int64_t chunk) const { return chunk * chunkRows < m ? chunk * chunkRows : m; }
};

namespace norm {

/** Count, mean and sum of squared deviations. */
struct Moments {
  double n, mean, m2;
};

FOVEA_HD Moments merged(const Moments& a, const Moments& b) {
  const double n = a.n + b.n;
  if (b.n == 0) return a;
  if (a.n == 0) return b;
  const double d = b.mean - a.mean, share = b.n / n;
  return {n, a.mean + d * share, a.m2 + b.m2 + d * d * (a.n * share)};
}

/** Two sums. */
struct Sums {
  double a, b;
};

}  // namespace norm

template <class T>
struct BatchNormStatistics {
  struct Args {
    const T* x;
    NormGeometry g;
    double* partials;  ///< [chunks][2][c]: mean and sum of squared deviations.
  };

  static FOVEA_HD norm::Moments statistics(const T* x, int64_t from, int64_t to, int64_t step, int64_t c) {
    norm::Moments total{0, 0, 0};
    for (; from < to; from += kNormRows * step) {
      // Trip counts are fixed so that v stays in registers; rows past the end repeat the first one.
      float v[kNormRows];
      int count = 0;
      for (int k = 0; k < kNormRows; ++k) {
        const int64_t row = from + k * step;
        v[k] = row < to ? load(x[row * c]) : v[0];
        count += row < to;
      }
      // Relative to the first row, which keeps the float sums small.
      float sum = 0, squares = 0;
      for (int k = 1; k < kNormRows; ++k) sum += v[k] - v[0];
      const float centre = v[0] + sum / static_cast<float>(count);
      for (int k = 0; k < kNormRows; ++k) squares += k < count ? (v[k] - centre) * (v[k] - centre) : 0.0f;
      const double mean = static_cast<double>(v[0]) + static_cast<double>(sum) / count;
      const double rounding = mean - static_cast<double>(centre);
      total = norm::merged(total, {static_cast<double>(count), mean, squares - count * rounding * rounding});
    }
    return total;
  }

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const NormGeometry& g = args.g;
    norm::Moments* shared = block.template shared<norm::Moments>();
    for (int64_t task = block.index(); task < g.tiles() * g.chunks; task += block.count()) {
      const int64_t chunk = task / g.tiles(), first = (task - chunk * g.tiles()) * g.columns;
      block.each([&](int thread) {
        const int64_t j = first + thread % g.columns, lane = thread / g.columns;
        shared[thread] = j < g.c ? statistics(args.x + j, g.begin(chunk) + lane, g.begin(chunk + 1), g.lanes, g.c)
                                 : norm::Moments{0, 0, 0};
      });
      for (int half = g.lanes / 2; half > 0; half /= 2) {
        block.each([&](int thread) {
          if (thread / g.columns < half)
            shared[thread] = norm::merged(shared[thread], shared[thread + half * g.columns]);
        });
      }
      block.each([&](int thread) {
        const int64_t j = first + thread;
        if (thread >= g.columns || j >= g.c) return;
        args.partials[2 * chunk * g.c + j] = shared[thread].mean;
        args.partials[(2 * chunk + 1) * g.c + j] = shared[thread].m2;
      });
    }
  }
};

/** From the chunks' statistics to mean, variance and the two factors of the normalization. */
struct BatchNormFactors {
  struct Args {
    const double* partials;
    NormGeometry g;
    double epsilon;
    const float *gamma, *beta;
    float *mean, *variance, *scale, *shift;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const NormGeometry& g = args.g;
    norm::Moments* shared = block.template shared<norm::Moments>();
    const int columns = block.threads() / kNormJoinLanes;
    for (int64_t first = int64_t{block.index()} * columns; first < g.c; first += int64_t{block.count()} * columns) {
      block.each([&](int thread) {
        const int64_t j = first + thread % columns;
        norm::Moments total{0, 0, 0};
        if (j < g.c) {
          for (int64_t k = thread / columns; k < g.chunks; k += kNormJoinLanes) {
            const auto rows = static_cast<double>(g.begin(k + 1) - g.begin(k));
            total = norm::merged(total, {rows, args.partials[2 * k * g.c + j], args.partials[(2 * k + 1) * g.c + j]});
          }
        }
        shared[thread] = total;
      });
      for (int half = kNormJoinLanes / 2; half > 0; half /= 2) {
        block.each([&](int thread) {
          if (thread / columns < half) shared[thread] = norm::merged(shared[thread], shared[thread + half * columns]);
        });
      }
      block.each([&](int thread) {
        const int64_t j = first + thread;
        if (thread >= columns || j >= g.c) return;
        const double variance = g.m > 0 ? shared[thread].m2 / static_cast<double>(g.m) : 0;
        args.mean[j] = static_cast<float>(shared[thread].mean);
        args.variance[j] = static_cast<float>(variance);
        const auto scale = static_cast<float>(args.gamma[j] / sqrt(variance + args.epsilon));
        args.scale[j] = scale;
        // What rounding the mean took away is made good in the shift.
        args.shift[j] =
            static_cast<float>(args.beta[j] - (shared[thread].mean - static_cast<double>(args.mean[j])) * scale);
      });
    }
  }
};

template <class T>
struct BatchNormNormalize {
  struct Args {
    const T* x;
    T* y;
    int64_t n;
    Divisor byC;
    const float *mean, *scale, *shift;
    bool relu;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const bool fours = args.byC.d % 4 == 0 && takesFours(args.x, args.y, args.mean, args.scale, args.shift);
    const auto one = [&](float x, float mean, float scale, float shift) {
      const float v = (x - mean) * scale + shift;
      return args.relu && v <= 0 ? 0.0f : v;
    };
    block.each([&](int thread) {
      if (fours) {
        for (int64_t i = 4 * block.first(thread); i < args.n; i += 4 * block.stride()) {
          int64_t row = i;
          const int64_t j = popAxis(row, args.byC);
          float v[4], mean[4], scale[4], shift[4];
          loadFour(args.x + i, v);
          loadFour(args.mean + j, mean);
          loadFour(args.scale + j, scale);
          loadFour(args.shift + j, shift);
          for (int l = 0; l < 4; ++l) v[l] = one(v[l], mean[l], scale[l], shift[l]);
          storeFour(args.y + i, v);
        }
        return;
      }
      for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
        int64_t row = i;
        const int64_t j = popAxis(row, args.byC);
        store(args.y + i, one(load(args.x[i]), args.mean[j], args.scale[j], args.shift[j]));
      }
    });
  }
};

/** Sums of dy and of dy * (x - mean); with y, dy counts where y > 0. */
template <class T>
struct BatchNormGradientSums {
  struct Args {
    const T *x, *dy, *y;  ///< y may be null.
    const float* mean;
    NormGeometry g;
    double* partials;  ///< [chunks][2][c].
  };

  static FOVEA_HD norm::Sums sums(const Args& args, int64_t j, int64_t from, int64_t to) {
    const float mean = args.mean[j];
    norm::Sums total{0, 0};
    while (from < to) {
      float a = 0, b = 0;
      for (int k = 0; k < kNormRows && from < to; ++k, from += args.g.lanes) {
        const int64_t i = from * args.g.c + j;
        const float d = args.y == nullptr || load(args.y[i]) > 0 ? load(args.dy[i]) : 0.0f;
        a += d;
        b += d * (load(args.x[i]) - mean);
      }
      total.a += a;
      total.b += b;
    }
    return total;
  }

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const NormGeometry& g = args.g;
    norm::Sums* shared = block.template shared<norm::Sums>();
    for (int64_t task = block.index(); task < g.tiles() * g.chunks; task += block.count()) {
      const int64_t chunk = task / g.tiles(), first = (task - chunk * g.tiles()) * g.columns;
      block.each([&](int thread) {
        const int64_t j = first + thread % g.columns, lane = thread / g.columns;
        shared[thread] = j < g.c ? sums(args, j, g.begin(chunk) + lane, g.begin(chunk + 1)) : norm::Sums{0, 0};
      });
      for (int half = g.lanes / 2; half > 0; half /= 2) {
        block.each([&](int thread) {
          if (thread / g.columns >= half) return;
          const norm::Sums other = shared[thread + half * g.columns];
          shared[thread].a += other.a;
          shared[thread].b += other.b;
        });
      }
      block.each([&](int thread) {
        const int64_t j = first + thread;
        if (thread >= g.columns || j >= g.c) return;
        args.partials[2 * chunk * g.c + j] = shared[thread].a;
        args.partials[(2 * chunk + 1) * g.c + j] = shared[thread].b;
      });
    }
  }
};

/** From the chunks' sums to dgamma, dbeta and the factors of dx = a * dy + b * (x - mean) + k. */
struct BatchNormGradientFactors {
  struct Args {
    const double* partials;
    NormGeometry g;
    double epsilon;
    const float *gamma, *variance;
    float *dgamma, *dbeta, *a, *b, *k;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const NormGeometry& g = args.g;
    norm::Sums* shared = block.template shared<norm::Sums>();
    const int columns = block.threads() / kNormJoinLanes;
    for (int64_t first = int64_t{block.index()} * columns; first < g.c; first += int64_t{block.count()} * columns) {
      block.each([&](int thread) {
        const int64_t j = first + thread % columns;
        norm::Sums total{0, 0};
        if (j < g.c) {
          for (int64_t k = thread / columns; k < g.chunks; k += kNormJoinLanes) {
            total.a += args.partials[2 * k * g.c + j];
            total.b += args.partials[(2 * k + 1) * g.c + j];
          }
        }
        shared[thread] = total;
      });
      for (int half = kNormJoinLanes / 2; half > 0; half /= 2) {
        block.each([&](int thread) {
          if (thread / columns >= half) return;
          const norm::Sums other = shared[thread + half * columns];
          shared[thread].a += other.a;
          shared[thread].b += other.b;
        });
      }
      block.each([&](int thread) {
        const int64_t j = first + thread;
        if (thread >= columns || j >= g.c) return;
        const double db = shared[thread].a, dg = shared[thread].b, rows = static_cast<double>(g.m > 0 ? g.m : 1);
        const double inverse = 1 / sqrt(static_cast<double>(args.variance[j]) + args.epsilon);
        const double scale = args.gamma[j] * inverse;
        args.dgamma[j] = static_cast<float>(dg * inverse);
        args.dbeta[j] = static_cast<float>(db);
        args.a[j] = static_cast<float>(scale);
        args.b[j] = static_cast<float>(-scale * dg * inverse * inverse / rows);
        args.k[j] = static_cast<float>(-scale * db / rows);
      });
    }
  }
};

template <class T>
struct BatchNormGradient {
  struct Args {
    const T *x, *dy, *y;  ///< y may be null.
    T* dx;
    int64_t n;
    Divisor byC;
    const float *mean, *a, *b, *k;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const bool fours = args.byC.d % 4 == 0 && takesFours(args.x, args.dy, args.y, args.dx) &&
                       takesFours(args.mean, args.a, args.b, args.k);
    block.each([&](int thread) {
      if (fours) {
        for (int64_t i = 4 * block.first(thread); i < args.n; i += 4 * block.stride()) {
          int64_t row = i;
          const int64_t j = popAxis(row, args.byC);
          float x[4], d[4], mean[4], a[4], b[4], k[4];
          loadFour(args.x + i, x);
          loadFour(args.dy + i, d);
          if (args.y != nullptr) {
            float y[4];
            loadFour(args.y + i, y);
            for (int l = 0; l < 4; ++l) d[l] = y[l] > 0 ? d[l] : 0.0f;
          }
          loadFour(args.mean + j, mean);
          loadFour(args.a + j, a);
          loadFour(args.b + j, b);
          loadFour(args.k + j, k);
          for (int l = 0; l < 4; ++l) x[l] = a[l] * d[l] + (b[l] * (x[l] - mean[l]) + k[l]);
          storeFour(args.dx + i, x);
        }
        return;
      }
      for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
        int64_t row = i;
        const int64_t j = popAxis(row, args.byC);
        const float d = args.y == nullptr || load(args.y[i]) > 0 ? load(args.dy[i]) : 0.0f;
        store(args.dx + i, args.a[j] * d + (args.b[j] * (load(args.x[i]) - args.mean[j]) + args.k[j]));
      }
    });
  }
};

#define FOVEA_BATCH_NORM_KERNELS(X)  \
  X(BatchNormStatistics<float>)      \
  X(BatchNormStatistics<BFloat16>)   \
  X(BatchNormStatistics<Float16>)    \
  X(BatchNormFactors)                \
  X(BatchNormNormalize<float>)       \
  X(BatchNormNormalize<BFloat16>)    \
  X(BatchNormNormalize<Float16>)     \
  X(BatchNormGradientSums<float>)    \
  X(BatchNormGradientSums<BFloat16>) \
  X(BatchNormGradientSums<Float16>)  \
  X(BatchNormGradientFactors)        \
  X(BatchNormGradient<float>)        \
  X(BatchNormGradient<BFloat16>)     \
  X(BatchNormGradient<Float16>)

}  // namespace fovea::cuda
