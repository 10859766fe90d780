#pragma once

#include <cmath>
#include <cstdint>

#include "cuda/kernels/convert.h"
#include "cuda/kernels/divide.h"

/**
 * @file
 * Local response normalization across channels (Krizhevsky et al. 2012, section 3.3), with alpha as TensorFlow has it.
 * One thread an element; the window's channels lie beside it in memory.
 */
namespace fovea::cuda {

struct LrnParams {
  int64_t n;  ///< Elements.
  int64_t c, radius;
  Divisor byC;
  float bias, alpha, beta;
};

namespace lrn {

/** Elements [begin, end) of the window around element i, which ends at the row's ends. */
struct Window {
  int64_t begin, end;
};
FOVEA_HD Window window(const LrnParams& p, int64_t i) {
  int64_t row = i;
  const int64_t j = popAxis(row, p.byC), start = row * p.c;
  return {start + (j > p.radius ? j - p.radius : 0), start + (j + p.radius + 1 < p.c ? j + p.radius + 1 : p.c)};
}

/** bias + alpha * sum of squares around element i. */
template <class T>
FOVEA_HD float scale(const LrnParams& p, const T* x, int64_t i) {
  const Window w = window(p, i);
  float sum = 0;
  for (int64_t k = w.begin; k < w.end; ++k) sum += load(x[k]) * load(x[k]);
  return p.bias + p.alpha * sum;
}

/** s^-beta, by roots for the usual exponents. */
FOVEA_HD float power(float s, float beta) {
  if (beta == 0.75f) {
    const float root = sqrtf(s);
    return 1.0f / (root * sqrtf(root));
  }
  if (beta == 0.5f) return 1.0f / sqrtf(s);
  if (beta == 1.0f) return 1.0f / s;
  return powf(s, -beta);
}

}  // namespace lrn

template <class T>
struct Lrn {
  struct Args {
    const T* x;
    T* y;
    LrnParams p;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      for (int64_t i = block.first(thread); i < args.p.n; i += block.stride()) {
        store(args.y + i, load(args.x[i]) * lrn::power(lrn::scale(args.p, args.x, i), args.p.beta));
      }
    });
  }
};

/**
 * dx = dy s^-b - 2 a b x sum over the window of (dy x s^(-b-1)). The terms of that sum are worked out once for a span
 * of elements and what surrounds it, in shared memory; with a radius that shared memory does not hold, once for each
 * use.
 */
template <class T>
struct LrnBackward {
  static constexpr int kSpan = 1024;  ///< Elements of a block at a time.
  struct Args {
    const T *x, *dy;
    T* dx;
    LrnParams p;
    bool useShared;  ///< kSpan + 2 radius floats.
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const LrnParams& p = args.p;
    float* terms = block.template shared<float>();
    const auto term = [&](int64_t i) {
      const float s = lrn::scale(p, args.x, i);
      return load(args.dy[i]) * load(args.x[i]) * lrn::power(s, p.beta) / s;
    };
    for (int64_t first = int64_t{block.index()} * kSpan; first < p.n; first += int64_t{block.count()} * kSpan) {
      const int64_t start = first - p.radius;
      if (args.useShared) {
        block.each([&](int thread) {
          for (int64_t k = thread; k < kSpan + 2 * p.radius; k += block.threads()) {
            const int64_t i = start + k;
            if (i >= 0 && i < p.n) terms[k] = term(i);
          }
        });
      }
      block.each([&](int thread) {
        for (int64_t i = first + thread; i < first + kSpan && i < p.n; i += block.threads()) {
          const lrn::Window w = lrn::window(p, i);
          float sum = 0;
          for (int64_t k = w.begin; k < w.end; ++k) sum += args.useShared ? terms[k - start] : term(k);
          const float factor = lrn::power(lrn::scale(p, args.x, i), p.beta);
          store(args.dx + i, load(args.dy[i]) * factor - 2.0f * p.alpha * p.beta * load(args.x[i]) * sum);
        }
      });
    }
  }
};

#define FOVEA_LRN_KERNELS(X) \
  X(Lrn<float>)              \
  X(Lrn<BFloat16>)           \
  X(Lrn<Float16>)            \
  X(LrnBackward<float>)      \
  X(LrnBackward<BFloat16>)   \
  X(LrnBackward<Float16>)

}  // namespace fovea::cuda
