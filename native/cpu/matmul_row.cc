#include "cpu/matmul_row.h"

#include <algorithm>

#include "cpu/kernel_base.h"
#include "cpu/math.h"
#include "cpu/parallel.h"
#include "cpu/parts.h"
#include "cpu/simd.h"

namespace fovea::cpu {
namespace {

constexpr int64_t kColumns = 4096;  ///< Whose sums stay in the first-level cache.

/** Adds x B to y, in columns from..to-1 of n. */
FOVEA_CLONES void addProduct(const float* x, const float* b, float* __restrict y, int64_t k, int64_t n, int64_t from,
                             int64_t to) {
  int64_t i = 0;
  for (; i + 4 <= k; i += 4) {
    const float x0 = x[i], x1 = x[i + 1], x2 = x[i + 2], x3 = x[i + 3];
    const float *b0 = b + i * n, *b1 = b0 + n, *b2 = b1 + n, *b3 = b2 + n;
#pragma omp simd
    for (int64_t j = from; j < to; ++j) y[j] = y[j] + x0 * b0[j] + x1 * b1[j] + x2 * b2[j] + x3 * b3[j];
  }
  for (; i < k; ++i) {
#pragma omp simd
    for (int64_t j = from; j < to; ++j) y[j] += x[i] * b[i * n + j];
  }
}

}  // namespace

KernelPtr makeRowProduct(const MatmulGeometry& q) {
  const bool wide = q.type == DType::kFloat32 && q.resultType == DType::kFloat32 && q.biasType == DType::kFloat32;
  if (!wide || q.batch != 1 || q.m != 1 || q.transposeB) return nullptr;
  const auto run = [q](const Pointers& p) {
    const float *x = in<float>(p, 0), *b = in<float>(p, 1), *bias = q.bias ? in<float>(p, 2) : nullptr;
    float* y = out<float>(p, 0);
    parallelParts(ceilDivide(q.n, kLineFloats), q.k * kLineFloats, [&](int64_t begin, int64_t end, int) {
      for (int64_t from = begin * kLineFloats, last = std::min(end * kLineFloats, q.n); from < last; from += kColumns) {
        const int64_t to = std::min(from + kColumns, last);
        for (int64_t j = from; j < to; ++j) y[j] = bias ? bias[j] : 0.0f;
        addProduct(x, b, y, q.k, q.n, from, to);
        for (int64_t j = from; q.relu && j < to; ++j) y[j] = y[j] <= 0 ? 0.0f : y[j];
      }
    });
  };
  return makeKernel(run, 0, "own:row");
}

}  // namespace fovea::cpu
