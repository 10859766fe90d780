#include <algorithm>
#include <cmath>
#include <type_traits>

#include "core/batch_norm_geometry.h"
#include "cpu/backend.h"
#include "cpu/kernel_base.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/parts.h"
#include "cpu/simd.h"

/**
 * @file
 * Batch normalization over rows of channels (Ioffe and Szegedy 2015). Statistics are taken over blocks of rows,
 * relative to the mean so far, and merged in double by Chan, Golub and LeVeque's formula (1979): x is read from memory
 * once for them, and a mean far from zero costs no accuracy.
 */
namespace fovea::cpu {
namespace {

constexpr int64_t kRows = 32;        ///< Rows of a block,
constexpr int64_t kSummed = 48;      ///< and of one that is summed in float.
constexpr int64_t kSeen = 32;        ///< Rows whose mean the sums of a chunk's first block are relative to.
constexpr int64_t kMostChunks = 64;  ///< Partial results; their number depends on the shape alone.
constexpr int64_t kChannels = 64;    ///< Whose partial results are put together at once.

struct Geometry {
  int64_t m, c, chunks, chunkRows;

  int64_t begin(int64_t chunk) const { return std::min(chunk * chunkRows, m); }
  int64_t end(int64_t chunk) const { return begin(chunk + 1); }
};

/** Chunks of some blocks at least: what is done once for each hardly counts. */
Geometry geometry(int64_t m, int64_t c) {
  const int64_t byWork = m * std::max<int64_t>(c, 1) / (1 << 14);
  const int64_t most = std::clamp<int64_t>(std::min(byWork, m / (4 * kRows)), 1, kMostChunks);
  const int64_t chunkRows = std::max<int64_t>(ceilDivide(m, most), 1);
  return {m, c, std::max<int64_t>(ceilDivide(m, chunkRows), 1), chunkRows};
}

/** Adds kCount rows of x, relative to `centre`, to s and their squares to q: a channel's sums stay in registers. */
template <int kCount, class T>
FOVEA_INLINE void addRows(const T* x, const float* centre, int64_t c, float* s, float* q) {
#pragma omp simd
  for (int64_t j = 0; j < c; ++j) {
    float sum = s[j], squares = q[j];
#pragma GCC unroll 4
    for (int64_t i = 0; i < kCount; ++i) {
      const float d = load(x[i * c + j]) - centre[j];
      sum += d;
      squares += d * d;
    }
    s[j] = sum;
    q[j] = squares;
  }
}

/** Sums of `rows` rows of x relative to `centre` into s, of their squares into q. */
template <class T>
FOVEA_INLINE void sumRows(const T* x, int64_t rows, const float* centre, int64_t c, float* s, float* q) {
  for (int64_t j = 0; j < c; ++j) s[j] = q[j] = 0;
  int64_t i = 0;
  for (; i + 4 <= rows; i += 4) addRows<4>(x + i * c, centre, c, s, q);
  for (; i < rows; ++i) addRows<1>(x + i * c, centre, c, s, q);
}

/**
 * Mean and sum of squared deviations of rows begin..end-1, into `mean` and `m2`; `s` holds 3c floats. A block's sums
 * are relative to the mean of the rows before it, the first block's to that of its first rows. What that adds to the
 * squares is taken away again, and is no more than what the distance of the means adds to m2 for good: hardly a digit
 * is lost by it.
 */
template <class T>
FOVEA_INLINE void statisticsOf(const T* x, int64_t begin, int64_t end, int64_t c, double* mean, double* m2, float* s) {
  float *q = s + c, *centre = q + c;
  for (int64_t j = 0; j < c; ++j) mean[j] = m2[j] = 0;
  if (begin < end) {
    const T* first = x + begin * c;
    const int64_t rows = std::min(kSeen, end - begin);
    for (int64_t j = 0; j < c; ++j) centre[j] = load(first[j]);
    sumRows(first, rows, centre, c, s, q);
    for (int64_t j = 0; j < c; ++j) centre[j] += s[j] / static_cast<float>(rows);
  }
  const Parts blocks(end - begin, kSummed);
  for (int64_t i = 0; i < blocks.parts; ++i) {
    const int64_t rows = blocks.size(i);
    if (rows == 0) continue;
    sumRows(x + (begin + blocks.begin(i)) * c, rows, centre, c, s, q);
    const double before = static_cast<double>(blocks.begin(i)), added = static_cast<double>(rows);
    const double share = added / (before + added), cross = before * share, inverse = 1 / added;
#pragma omp simd
    for (int64_t j = 0; j < c; ++j) {
      const double sum = static_cast<double>(s[j]), shift = sum * inverse;
      const double d = static_cast<double>(centre[j]) + shift - mean[j];
      mean[j] += d * share;
      m2[j] += static_cast<double>(q[j]) - sum * shift + d * d * cross;
      centre[j] = static_cast<float>(mean[j]);
    }
  }
}

/** Rows of c doubles: the partial results of a chunk are two of them, of channel j the elements j. */
struct Partials {
  double* rows;
  Geometry g;

  double* first(int64_t chunk) const { return rows + 2 * chunk * g.c; }
  double* second(int64_t chunk) const { return first(chunk) + g.c; }
};

/** Puts the chunks' means and squares of channels begin..end-1 together, in those of the first. */
FOVEA_CLONES void mergeStatistics(const Partials& p, int64_t begin, int64_t end) {
  double *mean = p.first(0), *m2 = p.second(0);
  for (int64_t k = 1; k < p.g.chunks; ++k) {
    const double before = static_cast<double>(p.g.begin(k)), added = static_cast<double>(p.g.end(k)) - before;
    const double share = added / (before + added), cross = before * share;
    const double *mk = p.first(k), *qk = p.second(k);
#pragma omp simd
    for (int64_t j = begin; j < end; ++j) {
      const double delta = mk[j] - mean[j];
      mean[j] += delta * share;
      m2[j] += qk[j] + delta * delta * cross;
    }
  }
}

/** Adds the chunks' sums of channels begin..end-1, to those of the first. */
FOVEA_CLONES void addPartials(const Partials& p, int64_t begin, int64_t end) {
  double *a = p.first(0), *b = p.second(0);
  for (int64_t k = 1; k < p.g.chunks; ++k) {
    const double *ak = p.first(k), *bk = p.second(k);
#pragma omp simd
    for (int64_t j = begin; j < end; ++j) a[j] += ak[j], b[j] += bk[j];
  }
}

/** Calls `body(begin, end)` on parts of the channels, for what is done with their partial results. */
template <class Body>
void byChannels(const Geometry& g, const Body& body) {
  parallelFor(ceilDivide(g.c, kChannels), kChannels * g.chunks * 4,
              [&](int64_t i) { body(i * kChannels, std::min((i + 1) * kChannels, g.c)); });
}

template <class T>
FOVEA_INLINE void normalizeRows(const T* x, T* y, int64_t rows, int64_t c, const float* mean, const float* scale,
                                const float* shift, bool relu) {
  for (int64_t i = 0; i < rows; ++i, x += c, y += c) {
    if (relu) {
#pragma omp simd
      for (int64_t j = 0; j < c; ++j) {
        const float v = (load(x[j]) - mean[j]) * scale[j] + shift[j];
        store(y + j, v <= 0 ? 0.0f : v);
      }
    } else {
#pragma omp simd
      for (int64_t j = 0; j < c; ++j) store(y + j, (load(x[j]) - mean[j]) * scale[j] + shift[j]);
    }
  }
}

/**
 * Calls `body(begin, end)` on blocks of the rows 0..m-1 from the last to the first: a pass over what another pass has
 * just read from the first to the last finds the end of it in the cache.
 */
template <class Body>
void backwards(int64_t m, int64_t workPerRow, const Body& body) {
  parallelFor((m + kRows - 1) / kRows, kRows * workPerRow, [&](int64_t i) {
    const int64_t end = m - i * kRows;
    body(std::max<int64_t>(end - kRows, 0), end);
  });
}

/** Sums of dy and dy * (x - mean) over rows begin..end-1; `s` holds 2c floats; y may be null. */
template <class T>
FOVEA_INLINE void gradientSumsOf(const T* x, const T* dy, const T* y, const float* mean, int64_t begin, int64_t end,
                                 int64_t c, double* db, double* dg, float* s) {
  float* q = s + c;
  for (int64_t j = 0; j < c; ++j) db[j] = dg[j] = 0;
  const Parts blocks(end - begin, kSummed);
  for (int64_t block = 0; block < blocks.parts; ++block) {
    for (int64_t j = 0; j < c; ++j) s[j] = q[j] = 0;
    for (int64_t i = begin + blocks.begin(block); i < begin + blocks.begin(block + 1); ++i) {
      const T *v = x + i * c, *d = dy + i * c;
      if (y != nullptr) {
        const T* mask = y + i * c;
#pragma omp simd
        for (int64_t j = 0; j < c; ++j) {
          const float g = load(mask[j]) > 0 ? load(d[j]) : 0.0f;
          s[j] += g;
          q[j] += g * (load(v[j]) - mean[j]);
        }
      } else {
#pragma omp simd
        for (int64_t j = 0; j < c; ++j) {
          s[j] += load(d[j]);
          q[j] += load(d[j]) * (load(v[j]) - mean[j]);
        }
      }
    }
    for (int64_t j = 0; j < c; ++j) {
      db[j] += s[j];
      dg[j] += q[j];
    }
  }
}

/** dx = a * dy + b * (x - mean) + k, per channel. */
template <class T>
FOVEA_INLINE void gradientRows(const T* x, const T* dy, const T* y, T* dx, int64_t rows, int64_t c, const float* mean,
                               const float* a, const float* b, const float* k) {
  for (int64_t i = 0; i < rows; ++i, x += c, dy += c, dx += c) {
    if (y != nullptr) {
#pragma omp simd
      for (int64_t j = 0; j < c; ++j) {
        const float d = load(y[j]) > 0 ? load(dy[j]) : 0.0f;
        store(dx + j, a[j] * d + (b[j] * (load(x[j]) - mean[j]) + k[j]));
      }
      y += c;
    } else {
#pragma omp simd
      for (int64_t j = 0; j < c; ++j) store(dx + j, a[j] * load(dy[j]) + (b[j] * (load(x[j]) - mean[j]) + k[j]));
    }
  }
}

// One clone set for each type that the kernels below name.
#define FOVEA_BATCH_NORM_LOOPS(T)                                                                                    \
  FOVEA_CLONES void statistics(const T* x, int64_t begin, int64_t end, int64_t c, double* mean, double* m2,          \
                               float* s) {                                                                           \
    statisticsOf(x, begin, end, c, mean, m2, s);                                                                     \
  }                                                                                                                  \
  FOVEA_CLONES void normalize(const T* x, T* y, int64_t rows, int64_t c, const float* mean, const float* scale,      \
                              const float* shift, bool relu) {                                                       \
    normalizeRows(x, y, rows, c, mean, scale, shift, relu);                                                          \
  }                                                                                                                  \
  FOVEA_CLONES void gradientSums(const T* x, const T* dy, const T* y, const float* mean, int64_t begin, int64_t end, \
                                 int64_t c, double* db, double* dg, float* s) {                                      \
    gradientSumsOf(x, dy, y, mean, begin, end, c, db, dg, s);                                                        \
  }                                                                                                                  \
  FOVEA_CLONES void gradient(const T* x, const T* dy, const T* y, T* dx, int64_t rows, int64_t c, const float* mean, \
                             const float* a, const float* b, const float* k) {                                       \
    gradientRows(x, dy, y, dx, rows, c, mean, a, b, k);                                                              \
  }
FOVEA_BATCH_NORM_LOOPS(float)
FOVEA_BATCH_NORM_LOOPS(BFloat16)
#undef FOVEA_BATCH_NORM_LOOPS

template <class T>
KernelPtr forward(const Geometry& g, double epsilon, bool relu) {
  Layout layout;
  const size_t partials = layout.take(sizeof(double) * 2 * g.c * g.chunks),
               perThread = align64(sizeof(float) * 3 * g.c);
  const size_t scratch = layout.take(perThread * maxThreads()), factors = layout.take(sizeof(float) * 2 * g.c);
  return makeKernel(
      [=](const Pointers& p) {
        const T* from = in<T>(p, 0);
        const float *gamma = in<float>(p, 1), *beta = in<float>(p, 2);
        T* to = out<T>(p, 0);
        float *mean = out<float>(p, 1), *variance = out<float>(p, 2);
        const Partials part{at<double>(p.workspace, partials), g};
        float *scale = at<float>(p.workspace, factors), *shift = scale + g.c;
        parallelRanges(g.chunks, g.chunkRows * g.c * 2, [&](int64_t begin, int64_t end, int thread) {
          for (int64_t k = begin; k < end; ++k) {
            statistics(from, g.begin(k), g.end(k), g.c, part.first(k), part.second(k),
                       at<float>(p.workspace, scratch + perThread * thread));
          }
        });
        byChannels(g, [&](int64_t begin, int64_t end) {
          mergeStatistics(part, begin, end);
          const double *exact = part.first(0), *m2 = part.second(0);
          for (int64_t j = begin; j < end; ++j) {
            const double v = g.m > 0 ? std::max(m2[j] / static_cast<double>(g.m), 0.0) : 0;
            mean[j] = static_cast<float>(exact[j]);
            variance[j] = static_cast<float>(v);
            scale[j] = static_cast<float>(gamma[j] / std::sqrt(v + epsilon));
            // What rounding the mean took away is made good in the shift.
            shift[j] = static_cast<float>(beta[j] - (exact[j] - static_cast<double>(mean[j])) * scale[j]);
          }
        });
        backwards(g.m, g.c * 2, [&](int64_t a, int64_t b) {
          normalize(from + a * g.c, to + a * g.c, b - a, g.c, mean, scale, shift, relu);
        });
      },
      layout.bytes());
}

template <class T>
KernelPtr backward(const Geometry& g, double epsilon, bool masked) {
  Layout layout;
  const size_t partials = layout.take(sizeof(double) * 2 * g.c * g.chunks),
               perThread = align64(sizeof(float) * 2 * g.c);
  const size_t scratch = layout.take(perThread * maxThreads()), factors = layout.take(sizeof(float) * 3 * g.c);
  return makeKernel(
      [=](const Pointers& p) {
        const T *from = in<T>(p, 0), *dy = in<T>(p, 4), *y = masked ? in<T>(p, 5) : nullptr;
        const float *gamma = in<float>(p, 1), *mean = in<float>(p, 2), *variance = in<float>(p, 3);
        T* dx = out<T>(p, 0);
        float *dgamma = out<float>(p, 1), *dbeta = out<float>(p, 2);
        const Partials part{at<double>(p.workspace, partials), g};
        float *a = at<float>(p.workspace, factors), *b = a + g.c, *k = b + g.c;
        parallelRanges(g.chunks, g.chunkRows * g.c * 2, [&](int64_t begin, int64_t end, int thread) {
          for (int64_t i = begin; i < end; ++i) {
            gradientSums(from, dy, y, mean, g.begin(i), g.end(i), g.c, part.first(i), part.second(i),
                         at<float>(p.workspace, scratch + perThread * thread));
          }
        });
        const double rows = static_cast<double>(std::max<int64_t>(g.m, 1));
        byChannels(g, [&](int64_t begin, int64_t end) {
          addPartials(part, begin, end);
          const double *db = part.first(0), *dg = part.second(0);
          for (int64_t j = begin; j < end; ++j) {
            const double inverse = 1 / std::sqrt(static_cast<double>(variance[j]) + epsilon);
            const double factor = gamma[j] * inverse;
            dgamma[j] = static_cast<float>(dg[j] * inverse);
            dbeta[j] = static_cast<float>(db[j]);
            a[j] = static_cast<float>(factor);
            b[j] = static_cast<float>(-factor * dg[j] * inverse * inverse / rows);
            k[j] = static_cast<float>(-factor * db[j] / rows);
          }
        });
        backwards(g.m, g.c * 3, [&](int64_t first, int64_t last) {
          const int64_t o = first * g.c;
          gradient(from + o, dy + o, y == nullptr ? nullptr : y + o, dx + o, last - first, g.c, mean, a, b, k);
        });
      },
      layout.bytes());
}

}  // namespace

KernelPtr CpuBackend::prepareBatchNorm(const BatchNormDesc& d) {
  const BatchNormGeometry g = parseBatchNorm(d);
  if (uses(d, DType::kFloat16)) return converting(d, prepareBatchNorm(inFloat32(d)));
  return withFloatType(g.type, [&](auto* type) {
    return forward<std::remove_pointer_t<decltype(type)>>(geometry(g.m, g.c), d.epsilon, g.relu);
  });
}

KernelPtr CpuBackend::prepareBatchNormBackward(const BatchNormDesc& d) {
  const BatchNormGeometry g = parseBatchNormBackward(d);
  if (uses(d, DType::kFloat16)) return converting(d, prepareBatchNormBackward(inFloat32(d)));
  return withFloatType(g.type, [&](auto* type) {
    return backward<std::remove_pointer_t<decltype(type)>>(geometry(g.m, g.c), d.epsilon, g.relu);
  });
}

}  // namespace fovea::cpu
