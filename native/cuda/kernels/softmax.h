#pragma once

#include <cmath>
#include <cstdint>

#include "cuda/kernels/convert.h"
#include "cuda/kernels/fault.h"

/**
 * @file
 * Softmax, its logarithm and the two cross-entropies over rows of c numbers, each with its gradient. `lanes` threads (a
 * power of two) share a row. The largest logit is subtracted first, so nothing overflows.
 */
namespace fovea::cuda {

/** Rows [rows][c]; a block takes threads / lanes of them at a time. */
struct SoftmaxGeometry {
  int64_t rows, c;
  int lanes;
};

namespace softmax {

/** One thread's place: its row, whether there is one, and its first element. */
struct Place {
  int64_t row;
  int lane;
  bool inside;
};

/** Calls `body(first)` for the block's groups of rows; `first + thread / lanes` is a thread's row. */
template <class Block, class Body>
FOVEA_HD void overRows(Block& block, const SoftmaxGeometry& g, const Body& body) {
  const int64_t rows = block.threads() / g.lanes;
  for (int64_t first = block.index() * rows; first < g.rows; first += block.count() * rows) body(first);
}

FOVEA_HD Place place(const SoftmaxGeometry& g, int64_t first, int thread) {
  const int64_t row = first + thread / g.lanes;
  return {row, thread % g.lanes, row < g.rows};
}

struct Add {
  FOVEA_HD float operator()(float a, float b) const { return a + b; }
};
struct Larger {
  FOVEA_HD float operator()(float a, float b) const { return b > a ? b : a; }
};

/** cells[row's first thread] = join of `value(j)` over the row, from `start`. */
template <class Block, class Value, class Join>
FOVEA_HD void joinRow(Block& block, const SoftmaxGeometry& g, int64_t first, float* cells, float start,
                      const Join& join, const Value& value) {
  block.each([&](int thread) {
    const Place p = place(g, first, thread);
    float total = start;
    if (p.inside) {
      for (int64_t j = p.lane; j < g.c; j += g.lanes) total = join(total, value(thread, p.row, j));
    }
    cells[thread] = total;
  });
  for (int half = g.lanes / 2; half > 0; half /= 2) {
    block.each([&](int thread) {
      if (thread % g.lanes < half) cells[thread] = join(cells[thread], cells[thread + half]);
    });
  }
}

/** Calls `body(thread, row, j)` for every element of the block's rows. */
template <class Block, class Body>
FOVEA_HD void eachElement(Block& block, const SoftmaxGeometry& g, int64_t first, const Body& body) {
  block.each([&](int thread) {
    const Place p = place(g, first, thread);
    if (!p.inside) return;
    for (int64_t j = p.lane; j < g.c; j += g.lanes) body(thread, p.row, j);
  });
}

/** Where a row's joined value lies. */
FOVEA_HD int head(const SoftmaxGeometry& g, int thread) { return thread - thread % g.lanes; }

/**
 * Calls `body(first, largest, sum)` for the block's groups of rows; at a row's head lie its largest logit and its sum
 * of exp(x - largest). Shared floats beyond these two a thread are the body's.
 */
template <class Block, class Body>
FOVEA_HD void overLogits(Block& block, const SoftmaxGeometry& g, const float* x, const Body& body) {
  float *largest = block.template shared<float>(), *sum = largest + block.threads();
  overRows(block, g, [&](int64_t first) {
    joinRow(block, g, first, largest, -HUGE_VALF, Larger{}, [&](int, int64_t r, int64_t j) { return x[r * g.c + j]; });
    joinRow(block, g, first, sum, 0.0f, Add{},
            [&](int thread, int64_t r, int64_t j) { return expf(x[r * g.c + j] - largest[head(g, thread)]); });
    body(first, largest, sum);
  });
}

}  // namespace softmax

/** Shared floats a thread of any of these kernels needs. */
inline constexpr int kSoftmaxCells = 3;

/** softmax or logSoftmax. */
template <bool kLog>
struct Softmax {
  struct Args {
    const float* x;
    float* y;
    SoftmaxGeometry g;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const SoftmaxGeometry& g = args.g;
    softmax::overLogits(block, g, args.x, [&](int64_t first, const float* largest, const float* sum) {
      softmax::eachElement(block, g, first, [&](int thread, int64_t r, int64_t j) {
        const int h = softmax::head(g, thread);
        const float d = args.x[r * g.c + j] - largest[h];
        args.y[r * g.c + j] = kLog ? d - logf(sum[h]) : expf(d) * (1.0f / sum[h]);
      });
    });
  }
};

template <bool kLog>
struct SoftmaxBackward {
  struct Args {
    const float *y, *dy;
    float* dx;
    SoftmaxGeometry g;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const SoftmaxGeometry& g = args.g;
    float* sum = block.template shared<float>();
    softmax::overRows(block, g, [&](int64_t first) {
      softmax::joinRow(block, g, first, sum, 0.0f, softmax::Add{}, [&](int, int64_t r, int64_t j) {
        const int64_t i = r * g.c + j;
        return kLog ? args.dy[i] : args.y[i] * args.dy[i];
      });
      softmax::eachElement(block, g, first, [&](int thread, int64_t r, int64_t j) {
        const int64_t i = r * g.c + j;
        const float s = sum[softmax::head(g, thread)];
        args.dx[i] = kLog ? args.dy[i] - expf(args.y[i]) * s : args.y[i] * (args.dy[i] - s);
      });
    });
  }
};

/** Labels outside 0..c-1 are reported; their rows' losses are NaN. */
struct SparseCrossEntropy {
  struct Args {
    const float* x;
    const int32_t* labels;
    float* loss;
    SoftmaxGeometry g;
    FaultWord* fault;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const SoftmaxGeometry& g = args.g;
    softmax::overLogits(block, g, args.x, [&](int64_t first, const float* largest, const float* sum) {
      block.each([&](int thread) {
        const softmax::Place p = softmax::place(g, first, thread);
        if (!p.inside || p.lane != 0) return;
        const int32_t label = args.labels[p.row];
        if (label < 0 || label >= g.c) {
          reportFault(block, args.fault, p.row, label);
          args.loss[p.row] = NAN;
          return;
        }
        args.loss[p.row] = logf(sum[thread]) - (args.x[p.row * g.c + label] - largest[thread]);
      });
    });
  }
};

struct SparseCrossEntropyBackward {
  struct Args {
    const float* x;
    const int32_t* labels;
    const float* dloss;
    float* dx;
    SoftmaxGeometry g;
    FaultWord* fault;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const SoftmaxGeometry& g = args.g;
    softmax::overLogits(block, g, args.x, [&](int64_t first, const float* largest, const float* sum) {
      softmax::eachElement(block, g, first, [&](int thread, int64_t r, int64_t j) {
        const int32_t label = args.labels[r];
        if (j == 0 && (label < 0 || label >= g.c)) reportFault(block, args.fault, r, label);
        const int h = softmax::head(g, thread);
        const float d = args.dloss[r], v = expf(args.x[r * g.c + j] - largest[h]) * (d / sum[h]);
        args.dx[r * g.c + j] = j == label ? v - d : v;
      });
    });
  }
};

struct CrossEntropy {
  struct Args {
    const float *x, *targets;
    float* loss;
    SoftmaxGeometry g;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const SoftmaxGeometry& g = args.g;
    float* loss = block.template shared<float>() + 2 * block.threads();
    softmax::overLogits(block, g, args.x, [&](int64_t first, const float* largest, const float* sum) {
      softmax::joinRow(block, g, first, loss, 0.0f, softmax::Add{}, [&](int thread, int64_t r, int64_t j) {
        const int h = softmax::head(g, thread);
        return args.targets[r * g.c + j] * (logf(sum[h]) - (args.x[r * g.c + j] - largest[h]));
      });
      block.each([&](int thread) {
        const softmax::Place p = softmax::place(g, first, thread);
        if (p.inside && p.lane == 0) args.loss[p.row] = loss[thread];
      });
    });
  }
};

struct CrossEntropyBackward {
  struct Args {
    const float *x, *targets, *dloss;
    float* dx;
    SoftmaxGeometry g;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const SoftmaxGeometry& g = args.g;
    float* total = block.template shared<float>() + 2 * block.threads();
    softmax::overLogits(block, g, args.x, [&](int64_t first, const float* largest, const float* sum) {
      softmax::joinRow(block, g, first, total, 0.0f, softmax::Add{},
                       [&](int, int64_t r, int64_t j) { return args.targets[r * g.c + j]; });
      softmax::eachElement(block, g, first, [&](int thread, int64_t r, int64_t j) {
        const int h = softmax::head(g, thread);
        const int64_t i = r * g.c + j;
        args.dx[i] = (expf(args.x[i] - largest[h]) * (total[h] / sum[h]) - args.targets[i]) * args.dloss[r];
      });
    });
  }
};

#define FOVEA_SOFTMAX_KERNELS(X) \
  X(Softmax<false>)              \
  X(Softmax<true>)               \
  X(SoftmaxBackward<false>)      \
  X(SoftmaxBackward<true>)       \
  X(SparseCrossEntropy)          \
  X(SparseCrossEntropyBackward)  \
  X(CrossEntropy)                \
  X(CrossEntropyBackward)

}  // namespace fovea::cuda
