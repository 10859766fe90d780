#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/resize_geometry.h"
#include "cpu/backend.h"
#include "cpu/kernel_base.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"

/**
 * @file
 * A linear map along rows and columns with the weights it is told: every way of resizing images, and its transpose. A
 * row of the result is a weighted sum of rows, then weighted sums along it. Weights of 0 take no part, so what they
 * would be multiplied with may be anything.
 */
namespace fovea::cpu {
namespace {

/** Weights of one axis as the loops read them. */
struct Axis {
  int64_t taps;
  std::vector<int64_t> starts;
  std::vector<float> weights;
};

struct Geometry : ResizeGeometry {
  Axis rows, columns;
};

Axis axis(const ResizeDesc::Spans& spans, int64_t taps) {
  return {taps, spans.starts, std::vector<float>(spans.weights.begin(), spans.weights.end())};
}

/** The weighted sum of rows of `count` elements; the source itself where one row counts, with weight 1. */
FOVEA_CLONES const float* sumOfRows(const float* x, const float* weights, int64_t taps, int64_t count, float* sum) {
  int64_t used = 0, last = 0;
  for (int64_t k = 0; k < taps; ++k) {
    if (weights[k] != 0) ++used, last = k;
  }
  if (used == 1 && weights[last] == 1) return x + last * count;
  std::fill(sum, sum + count, 0.0f);
  for (int64_t k = 0; k < taps; ++k) {
    const float weight = weights[k];
    if (weight == 0) continue;
    const float* row = x + k * count;
#pragma omp simd
    for (int64_t j = 0; j < count; ++j) sum[j] += weight * row[j];
  }
  return sum;
}

/** Weighted sums of neighbouring pixels of `c` channels. */
FOVEA_CLONES void sumsAlong(const Axis& a, const float* line, int64_t c, float* y) {
  const int64_t count = static_cast<int64_t>(a.starts.size());
  for (int64_t i = 0; i < count; ++i, y += c) {
    const float *x = line + a.starts[i] * c, *weights = a.weights.data() + i * a.taps;
    for (int64_t j = 0; j < c; ++j) y[j] = 0;
    for (int64_t k = 0; k < a.taps; ++k, x += c) {
      const float weight = weights[k];
      if (weight == 0) continue;
#pragma omp simd
      for (int64_t j = 0; j < c; ++j) y[j] += weight * x[j];
    }
  }
}

}  // namespace

KernelPtr CpuBackend::prepareResize(const ResizeDesc& d) {
  const ResizeGeometry q = parseResize(d);
  if (usesNarrow(d)) return converting(d, prepareResize(inFloat32(d)));
  const auto g = std::make_shared<const Geometry>(Geometry{q, axis(d.rows, q.rowTaps), axis(d.columns, q.columnTaps)});
  const size_t line = align64(g->w * g->c * sizeof(float));
  return makeKernel(
      [g, line](const Pointers& p) {
        const int64_t width = g->w * g->c, work = g->rows.taps * width + g->columns.taps * g->ow * g->c;
        parallelRanges(g->n * g->oh, work, [&](int64_t begin, int64_t end, int thread) {
          auto* sum = at<float>(p.workspace, line * thread);
          for (int64_t r = begin; r < end; ++r) {
            const int64_t image = r / g->oh, oy = r % g->oh;
            const float* source = in<float>(p, 0) + (image * g->h + g->rows.starts[oy]) * width;
            const float* weights = g->rows.weights.data() + oy * g->rows.taps;
            const float* row = sumOfRows(source, weights, g->rows.taps, width, sum);
            sumsAlong(g->columns, row, g->c, out<float>(p, 0) + r * g->ow * g->c);
          }
        });
      },
      line * maxThreads());
}

}  // namespace fovea::cpu
