#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "cpu/backend.h"
#include "cpu/bfloat16.h"
#include "cpu/kernel_base.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"

/**
 * @file
 * Image resizing as tf.image.resize without antialias (half-pixel centres). Both methods are two taps an axis with
 * weights worked out at preparation; nearest has one.
 */
namespace fovea::cpu {
namespace {

/** Taps of one output position along one axis: low * (1 - t) + high * t. */
struct Tap {
  int64_t low, high;
  float t;
};

std::vector<Tap> taps(int64_t size, int64_t target, bool bilinear) {
  std::vector<Tap> result;
  for (int64_t i = 0; i < target; ++i) {
    if (!bilinear) {
      const int64_t k = std::min((2 * i + 1) * size / (2 * target), size - 1);
      result.push_back({k, k, 0});
      continue;
    }
    const double at = (static_cast<double>(i) + 0.5) * static_cast<double>(size) / static_cast<double>(target) - 0.5;
    const double low = std::floor(at);
    const auto k = static_cast<int64_t>(low);
    result.push_back(
        {std::clamp<int64_t>(k, 0, size - 1), std::clamp<int64_t>(k + 1, 0, size - 1), static_cast<float>(at - low)});
  }
  return result;
}

struct Geometry {
  int64_t n, h, w, c, oh, ow;
  std::vector<Tap> rows, columns;
};

FOVEA_CLONES void forwardRow(const Geometry& g, const float* x, float* y, int64_t r) {
  const int64_t c = g.c;
  const Tap& v = g.rows[r % g.oh];
  const float* image = x + r / g.oh * g.h * g.w * c;
  const float *top = image + v.low * g.w * c, *bottom = image + v.high * g.w * c;
  y += r * g.ow * c;
  for (int64_t ox = 0; ox < g.ow; ++ox, y += c) {
    const Tap& u = g.columns[ox];
    const float *a = top + u.low * c, *b = top + u.high * c, *d = bottom + u.low * c, *e = bottom + u.high * c;
    const float across = u.t, down = v.t;
    if (across == 0 && down == 0) {
      for (int64_t j = 0; j < c; ++j) y[j] = a[j];
      continue;
    }
#pragma omp simd
    for (int64_t j = 0; j < c; ++j) {
      const float p = a[j] + (b[j] - a[j]) * across, q = d[j] + (e[j] - d[j]) * across;
      y[j] = p + (q - p) * down;
    }
  }
}

FOVEA_CLONES void backwardImage(const Geometry& g, const float* dy, float* dx, int64_t n, int64_t from, int64_t to) {
  const int64_t c = g.c, count = to - from;
  float* image = dx + n * g.h * g.w * c + from;
  for (int64_t i = 0; i < g.h * g.w; ++i) {
    for (int64_t j = 0; j < count; ++j) image[i * c + j] = 0;
  }
  for (int64_t oy = 0; oy < g.oh; ++oy) {
    const Tap& v = g.rows[oy];
    for (int64_t ox = 0; ox < g.ow; ++ox) {
      const Tap& u = g.columns[ox];
      const float* d = dy + ((n * g.oh + oy) * g.ow + ox) * c + from;
      const int64_t positions[4] = {v.low * g.w + u.low, v.low * g.w + u.high, v.high * g.w + u.low,
                                    v.high * g.w + u.high};
      const float weights[4] = {(1 - v.t) * (1 - u.t), (1 - v.t) * u.t, v.t * (1 - u.t), v.t * u.t};
      for (int k = 0; k < 4; ++k) {
        if (weights[k] == 0) continue;
        float* t = image + positions[k] * c;
        const float s = weights[k];
#pragma omp simd
        for (int64_t j = 0; j < count; ++j) t[j] += d[j] * s;
      }
    }
  }
}

std::shared_ptr<const Geometry> geometry(const Check& check, const ResizeDesc& d, const TensorDesc& x,
                                         const TensorDesc& y) {
  check.floats(x, "x");
  check.rank(x, "x", 4);
  check.rank(y, "y", 4);
  check.tensor(y, "y", DType::kFloat32, {x.dims[0], y.dims[1], y.dims[2], x.dims[3]});
  check.that(x.dims[1] > 0 && x.dims[2] > 0, "an image that is not empty", fovea::describe(x));
  auto g = std::make_shared<Geometry>();
  *g = {x.dims[0],
        x.dims[1],
        x.dims[2],
        x.dims[3],
        y.dims[1],
        y.dims[2],
        taps(x.dims[1], y.dims[1], d.bilinear),
        taps(x.dims[2], y.dims[2], d.bilinear)};
  return g;
}

}  // namespace

KernelPtr CpuBackend::prepareResize(const ResizeDesc& d) {
  const Check check("resize", d);
  check.counts(1, 1);
  if (usesBfloat16(d)) return throughFloat32("resize", d, [&](const ResizeDesc& f) { return prepareResize(f); });
  const auto g = geometry(check, d, d.inputs[0], d.outputs[0]);
  return makeKernel([g](const Pointers& p) {
    parallelFor(g->n * g->oh, g->ow * g->c * 8,
                [&](int64_t r) { forwardRow(*g, in<float>(p, 0), out<float>(p, 0), r); });
  });
}

KernelPtr CpuBackend::prepareResizeBackward(const ResizeDesc& d) {
  const Check check("resizeBackward", d);
  check.counts(1, 1);
  if (usesBfloat16(d)) {
    return throughFloat32("resizeBackward", d, [&](const ResizeDesc& f) { return prepareResizeBackward(f); });
  }
  const auto g = geometry(check, d, d.outputs[0], d.inputs[0]);
  return makeKernel([g](const Pointers& p) {
    const int64_t width = g->n >= maxThreads() ? std::max<int64_t>(g->c, 1) : 64, parts = (g->c + width - 1) / width;
    parallelFor(g->n * parts, g->oh * g->ow * 8 * std::min(width, g->c), [&](int64_t i) {
      const int64_t from = i % parts * width;
      backwardImage(*g, in<float>(p, 0), out<float>(p, 0), i / parts, from, std::min(from + width, g->c));
    });
  });
}

}  // namespace fovea::cpu
