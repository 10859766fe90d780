#include <algorithm>
#include <cmath>
#include <type_traits>

#include "core/lrn_geometry.h"
#include "cpu/backend.h"
#include "cpu/kernel_base.h"
#include "cpu/math.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"

/**
 * @file
 * Local response normalization across channels (Krizhevsky et al. 2012, section 3.3), with alpha as TensorFlow has it.
 * A row of channels is squared into a zero-padded scratch row; the window is a sum of shifted reads of it.
 */
namespace fovea::cpu {
namespace {

/** s^-beta, by roots for the usual exponents. */
FOVEA_INLINE void power(const float* s, float* y, int64_t n, float beta) {
  if (beta == 0.75f) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      const float root = __builtin_sqrtf(s[i]);
      y[i] = 1.0f / (root * __builtin_sqrtf(root));
    }
  } else if (beta == 0.5f) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = 1.0f / __builtin_sqrtf(s[i]);
  } else if (beta == 1.0f) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = 1.0f / s[i];
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = math::exp(-beta * math::log(s[i]));
  }
}

/** y[i] = sum of padded[i .. i + 2 radius]. */
FOVEA_INLINE void windowSum(const float* padded, float* y, int64_t n, int64_t radius) {
  if (radius == 2) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = padded[i] + padded[i + 1] + padded[i + 2] + padded[i + 3] + padded[i + 4];
    return;
  }
  for (int64_t i = 0; i < n; ++i) y[i] = padded[i];
  for (int64_t k = 1; k <= 2 * radius; ++k) {
    const float* v = padded + k;
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] += v[i];
  }
}

template <class T>
FOVEA_INLINE void scales(const LrnGeometry& q, const T* x, float* padded, float* scale) {
  float* middle = padded + q.radius;
#pragma omp simd
  for (int64_t i = 0; i < q.c; ++i) middle[i] = load(x[i]) * load(x[i]);
  windowSum(padded, scale, q.c, q.radius);
#pragma omp simd
  for (int64_t i = 0; i < q.c; ++i) scale[i] = q.bias + q.alpha * scale[i];
}

/** Scratch floats a thread needs: a padded row and three plain ones. */
int64_t scratchSize(const LrnGeometry& q) { return (q.c + 2 * q.radius + 16) + 3 * (q.c + 16); }

template <class T>
FOVEA_INLINE void forwardOf(const LrnGeometry& q, const T* x, T* y, int64_t rows, float* scratch) {
  float *padded = scratch, *scale = padded + q.c + 2 * q.radius, *factor = scale + q.c;
  std::fill_n(padded, q.c + 2 * q.radius, 0.0f);
  for (int64_t r = 0; r < rows; ++r, x += q.c, y += q.c) {
    scales(q, x, padded, scale);
    power(scale, factor, q.c, q.beta);
#pragma omp simd
    for (int64_t i = 0; i < q.c; ++i) store(y + i, load(x[i]) * factor[i]);
  }
}

/** dx = dy s^-b - 2 a b x sum over the window of (dy x s^(-b-1)). */
template <class T>
FOVEA_INLINE void backwardOf(const LrnGeometry& q, const T* x, const T* dy, T* dx, int64_t rows, float* scratch) {
  float *padded = scratch, *scale = padded + q.c + 2 * q.radius, *factor = scale + q.c, *sum = factor + q.c;
  float* middle = padded + q.radius;
  const float k = 2.0f * q.alpha * q.beta;
  std::fill_n(padded, q.c + 2 * q.radius, 0.0f);
  for (int64_t r = 0; r < rows; ++r, x += q.c, dy += q.c, dx += q.c) {
    scales(q, x, padded, scale);
    power(scale, factor, q.c, q.beta);
#pragma omp simd
    for (int64_t i = 0; i < q.c; ++i) middle[i] = load(dy[i]) * load(x[i]) * factor[i] / scale[i];
    windowSum(padded, sum, q.c, q.radius);
#pragma omp simd
    for (int64_t i = 0; i < q.c; ++i) store(dx + i, load(dy[i]) * factor[i] - k * load(x[i]) * sum[i]);
  }
}

// One clone set for each type.
#define FOVEA_LRN_LOOPS(T)                                                                                             \
  FOVEA_CLONES void forwardRows(const LrnGeometry& q, const T* x, T* y, int64_t rows, float* scratch) {                \
    forwardOf(q, x, y, rows, scratch);                                                                                 \
  }                                                                                                                    \
  FOVEA_CLONES void backwardRows(const LrnGeometry& q, const T* x, const T* dy, T* dx, int64_t rows, float* scratch) { \
    backwardOf(q, x, dy, dx, rows, scratch);                                                                           \
  }
FOVEA_LRN_LOOPS(float)
FOVEA_LRN_LOOPS(BFloat16)
#undef FOVEA_LRN_LOOPS

}  // namespace

KernelPtr CpuBackend::prepareLrn(const LrnDesc& d) {
  const LrnGeometry q = parseLrn("lrn", d, 1);
  if (uses(d, DType::kFloat16)) return converting(d, prepareLrn(inFloat32(d)));
  const size_t perThread = align64(sizeof(float) * scratchSize(q));
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel(
        [=](const Pointers& p) {
          parallelRanges(q.rows, q.c * (q.radius + 8), [&](int64_t begin, int64_t end, int thread) {
            forwardRows(q, in<T>(p, 0) + begin * q.c, out<T>(p, 0) + begin * q.c, end - begin,
                        at<float>(p.workspace, perThread * thread));
          });
        },
        perThread * maxThreads());
  });
}

KernelPtr CpuBackend::prepareLrnBackward(const LrnDesc& d) {
  const LrnGeometry q = parseLrn("lrnBackward", d, 2);
  if (uses(d, DType::kFloat16)) return converting(d, prepareLrnBackward(inFloat32(d)));
  const size_t perThread = align64(sizeof(float) * scratchSize(q));
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel(
        [=](const Pointers& p) {
          parallelRanges(q.rows, q.c * (2 * q.radius + 12), [&](int64_t begin, int64_t end, int thread) {
            const int64_t o = begin * q.c;
            backwardRows(q, in<T>(p, 0) + o, in<T>(p, 1) + o, out<T>(p, 0) + o, end - begin,
                         at<float>(p.workspace, perThread * thread));
          });
        },
        perThread * maxThreads());
  });
}

}  // namespace fovea::cpu
