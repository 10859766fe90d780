#include <cmath>
#include <string>

#include "core/softmax_geometry.h"
#include "cpu/backend.h"
#include "cpu/kernel_base.h"
#include "cpu/math.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"

/**
 * @file
 * Softmax, its logarithm and the two cross-entropies over the last axis, each with its gradient. The largest logit is
 * subtracted first, so nothing overflows.
 */
namespace fovea::cpu {
namespace {

FOVEA_INLINE float largest(const float* x, int64_t c) {
  float m = -math::kInf;
#pragma omp simd reduction(max : m)
  for (int64_t j = 0; j < c; ++j) m = x[j] > m ? x[j] : m;
  return m;
}

/** y = exp(x - m); returns the sum. */
FOVEA_INLINE float exponentials(const float* x, float* y, int64_t c, float m) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < c; ++j) {
    const float e = math::exp(x[j] - m);
    y[j] = e;
    sum += e;
  }
  return sum;
}

FOVEA_INLINE float sumOfExponentials(const float* x, int64_t c, float m) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < c; ++j) sum += math::exp(x[j] - m);
  return sum;
}

FOVEA_CLONES void softmaxRows(const float* x, float* y, int64_t rows, int64_t c) {
  for (int64_t r = 0; r < rows; ++r, x += c, y += c) {
    const float scale = 1.0f / exponentials(x, y, c, largest(x, c));
#pragma omp simd
    for (int64_t j = 0; j < c; ++j) y[j] *= scale;
  }
}

FOVEA_CLONES void logSoftmaxRows(const float* x, float* y, int64_t rows, int64_t c) {
  for (int64_t r = 0; r < rows; ++r, x += c, y += c) {
    const float m = largest(x, c), log = std::log(sumOfExponentials(x, c, m));
#pragma omp simd
    for (int64_t j = 0; j < c; ++j) y[j] = (x[j] - m) - log;
  }
}

FOVEA_CLONES void softmaxBackwardRows(const float* y, const float* dy, float* dx, int64_t rows, int64_t c) {
  for (int64_t r = 0; r < rows; ++r, y += c, dy += c, dx += c) {
    float dot = 0;
#pragma omp simd reduction(+ : dot)
    for (int64_t j = 0; j < c; ++j) dot += y[j] * dy[j];
#pragma omp simd
    for (int64_t j = 0; j < c; ++j) dx[j] = y[j] * (dy[j] - dot);
  }
}

FOVEA_CLONES void logSoftmaxBackwardRows(const float* y, const float* dy, float* dx, int64_t rows, int64_t c) {
  for (int64_t r = 0; r < rows; ++r, y += c, dy += c, dx += c) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < c; ++j) sum += dy[j];
#pragma omp simd
    for (int64_t j = 0; j < c; ++j) dx[j] = dy[j] - math::exp(y[j]) * sum;
  }
}

FOVEA_CLONES void sparseRows(const float* x, const int32_t* labels, float* loss, int64_t rows, int64_t c) {
  for (int64_t r = 0; r < rows; ++r, x += c) {
    const float m = largest(x, c);
    loss[r] = std::log(sumOfExponentials(x, c, m)) - (x[labels[r]] - m);
  }
}

FOVEA_CLONES void sparseBackwardRows(const float* x, const int32_t* labels, const float* dloss, float* dx, int64_t rows,
                                     int64_t c) {
  for (int64_t r = 0; r < rows; ++r, x += c, dx += c) {
    const float scale = dloss[r] / exponentials(x, dx, c, largest(x, c));
#pragma omp simd
    for (int64_t j = 0; j < c; ++j) dx[j] *= scale;
    dx[labels[r]] -= dloss[r];
  }
}

FOVEA_CLONES void denseRows(const float* x, const float* targets, float* loss, int64_t rows, int64_t c) {
  for (int64_t r = 0; r < rows; ++r, x += c, targets += c) {
    const float m = largest(x, c), log = std::log(sumOfExponentials(x, c, m));
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < c; ++j) sum += targets[j] * (log - (x[j] - m));
    loss[r] = sum;
  }
}

FOVEA_CLONES void denseBackwardRows(const float* x, const float* targets, const float* dloss, float* dx, int64_t rows,
                                    int64_t c) {
  for (int64_t r = 0; r < rows; ++r, x += c, targets += c, dx += c) {
    const float sum = exponentials(x, dx, c, largest(x, c));
    float total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t j = 0; j < c; ++j) total += targets[j];
    const float scale = total / sum, d = dloss[r];
#pragma omp simd
    for (int64_t j = 0; j < c; ++j) dx[j] = (dx[j] * scale - targets[j]) * d;
  }
}

/** Before anything is written. */
void checkLabels(const char* kernel, const int32_t* labels, const SoftmaxRows& s) {
  for (int64_t r = 0; r < s.rows; ++r) {
    if (labels[r] < 0 || labels[r] >= s.c) {
      throw Error("ERR_EXECUTION", std::string(kernel) + ": expected labels from 0 to " + std::to_string(s.c - 1) +
                                       ", received label " + std::to_string(labels[r]) + " in row " +
                                       std::to_string(r));
    }
  }
}

constexpr int64_t kExpCost = 10;

}  // namespace

KernelPtr CpuBackend::prepareSoftmax(const SoftmaxDesc& d) {
  const SoftmaxRows s = parseSoftmax("softmax", d, 1);
  return makeKernel([s](const Pointers& p) {
    parallelRanges(s.rows, s.c * kExpCost, [&](int64_t a, int64_t b, int) {
      softmaxRows(in<float>(p, 0) + a * s.c, out<float>(p, 0) + a * s.c, b - a, s.c);
    });
  });
}

KernelPtr CpuBackend::prepareLogSoftmax(const SoftmaxDesc& d) {
  const SoftmaxRows s = parseSoftmax("logSoftmax", d, 1);
  return makeKernel([s](const Pointers& p) {
    parallelRanges(s.rows, s.c * kExpCost, [&](int64_t a, int64_t b, int) {
      logSoftmaxRows(in<float>(p, 0) + a * s.c, out<float>(p, 0) + a * s.c, b - a, s.c);
    });
  });
}

KernelPtr CpuBackend::prepareSoftmaxBackward(const SoftmaxDesc& d) {
  const SoftmaxRows s = parseSoftmax("softmaxBackward", d, 2);
  return makeKernel([s](const Pointers& p) {
    parallelRanges(s.rows, s.c * 4, [&](int64_t a, int64_t b, int) {
      const int64_t o = a * s.c;
      softmaxBackwardRows(in<float>(p, 0) + o, in<float>(p, 1) + o, out<float>(p, 0) + o, b - a, s.c);
    });
  });
}

KernelPtr CpuBackend::prepareLogSoftmaxBackward(const SoftmaxDesc& d) {
  const SoftmaxRows s = parseSoftmax("logSoftmaxBackward", d, 2);
  return makeKernel([s](const Pointers& p) {
    parallelRanges(s.rows, s.c * kExpCost, [&](int64_t a, int64_t b, int) {
      const int64_t o = a * s.c;
      logSoftmaxBackwardRows(in<float>(p, 0) + o, in<float>(p, 1) + o, out<float>(p, 0) + o, b - a, s.c);
    });
  });
}

KernelPtr CpuBackend::prepareSparseSoftmaxCrossEntropy(const SoftmaxDesc& d) {
  constexpr const char* kName = "sparseSoftmaxCrossEntropy";
  const SoftmaxRows s = parseCrossEntropy(kName, d, true, false);
  return makeKernel([s](const Pointers& p) {
    checkLabels(kName, in<int32_t>(p, 1), s);
    parallelRanges(s.rows, s.c * kExpCost, [&](int64_t a, int64_t b, int) {
      sparseRows(in<float>(p, 0) + a * s.c, in<int32_t>(p, 1) + a, out<float>(p, 0) + a, b - a, s.c);
    });
  });
}

KernelPtr CpuBackend::prepareSparseSoftmaxCrossEntropyBackward(const SoftmaxDesc& d) {
  constexpr const char* kName = "sparseSoftmaxCrossEntropyBackward";
  const SoftmaxRows s = parseCrossEntropy(kName, d, true, true);
  return makeKernel([s](const Pointers& p) {
    checkLabels(kName, in<int32_t>(p, 1), s);
    parallelRanges(s.rows, s.c * kExpCost, [&](int64_t a, int64_t b, int) {
      const int64_t o = a * s.c;
      sparseBackwardRows(in<float>(p, 0) + o, in<int32_t>(p, 1) + a, in<float>(p, 2) + a, out<float>(p, 0) + o, b - a,
                         s.c);
    });
  });
}

KernelPtr CpuBackend::prepareSoftmaxCrossEntropy(const SoftmaxDesc& d) {
  const SoftmaxRows s = parseCrossEntropy("softmaxCrossEntropy", d, false, false);
  return makeKernel([s](const Pointers& p) {
    parallelRanges(s.rows, s.c * kExpCost, [&](int64_t a, int64_t b, int) {
      const int64_t o = a * s.c;
      denseRows(in<float>(p, 0) + o, in<float>(p, 1) + o, out<float>(p, 0) + a, b - a, s.c);
    });
  });
}

KernelPtr CpuBackend::prepareSoftmaxCrossEntropyBackward(const SoftmaxDesc& d) {
  const SoftmaxRows s = parseCrossEntropy("softmaxCrossEntropyBackward", d, false, true);
  return makeKernel([s](const Pointers& p) {
    parallelRanges(s.rows, s.c * kExpCost, [&](int64_t a, int64_t b, int) {
      const int64_t o = a * s.c;
      denseBackwardRows(in<float>(p, 0) + o, in<float>(p, 1) + o, in<float>(p, 2) + a, out<float>(p, 0) + o, b - a,
                        s.c);
    });
  });
}

}  // namespace fovea::cpu
