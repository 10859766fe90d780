#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cpu/backend.h"
#include "cpu/bfloat16.h"
#include "cpu/kernel_base.h"
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

struct Geometry {
  int64_t n, h, w, c, oh, ow;
  Axis rows, columns;
};

Axis axis(const Check& check, const ResizeDesc::Spans& spans, int64_t size, int64_t target, const char* name) {
  const auto count = static_cast<int64_t>(spans.starts.size()), all = static_cast<int64_t>(spans.weights.size());
  const int64_t taps = count > 0 ? all / count : 0;
  check.that(count == target && all == count * taps && (count == 0 || taps > 0),
             std::string(name) + " starts for " + std::to_string(target) + " results, with as many weights each",
             std::to_string(count) + " starts and " + std::to_string(all) + " weights");
  for (const int64_t start : spans.starts) {
    check.that(start >= 0 && taps <= size && start <= size - taps, std::string(name) + " starts within the image",
               std::to_string(start) + " with " + std::to_string(taps) + " weights in " + std::to_string(size));
  }
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
  const Check check("resize", d);
  check.counts(1, 1);
  if (usesBfloat16(d)) return throughFloat32("resize", d, [&](const ResizeDesc& f) { return prepareResize(f); });
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  check.floats(x, "x");
  check.rank(x, "x", 4);
  check.rank(y, "y", 4);
  check.tensor(y, "y", DType::kFloat32, {x.dims[0], y.dims[1], y.dims[2], x.dims[3]});
  const auto g = std::make_shared<Geometry>();
  *g = {x.dims[0],
        x.dims[1],
        x.dims[2],
        x.dims[3],
        y.dims[1],
        y.dims[2],
        axis(check, d.rows, x.dims[1], y.dims[1], "row"),
        axis(check, d.columns, x.dims[2], y.dims[2], "column")};
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
