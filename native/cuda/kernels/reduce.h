#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "core/descriptors.h"
#include "core/dtype.h"
#include "cuda/kernels/convert.h"
#include "cuda/kernels/divide.h"

/**
 * @file
 * reduce and argMax. A block works on `columns` outputs with `lanes` threads each; the reduced positions are cut into
 * chunks where the outputs alone are too few, and a second kernel joins the chunks. Who adds what to what depends on
 * the shape alone, so a result is the same run after run. Sums run in float over short stretches and go on in double.
 */
namespace fovea::cuda {

inline constexpr int kReduceThreads = 256;
inline constexpr int kReduceAxes = 16;
inline constexpr int kJoinLanes = 32;  ///< Threads of one output when chunks are joined.

/** Axes with strides in elements, outermost first; positions are numbered in row-major order. */
struct Walk {
  int rank = 0;
  Divisor dims[kReduceAxes];
  int64_t strides[kReduceAxes] = {};

  FOVEA_HD int64_t offset(int64_t i) const {
    if (rank == 0) return 0;
    int64_t o = 0;
    for (int d = rank - 1; d > 0; --d) o += popAxis(i, dims[d]) * strides[d];
    return o + i * strides[0];
  }
};

namespace reduction {

/** What elements of type X are added up in: double, or for int32 64-bit integers. */
template <class X>
using Wide = std::conditional_t<std::is_same_v<X, int32_t>, int64_t, double>;
template <class X>
using Narrow = std::conditional_t<std::is_same_v<X, int32_t>, int32_t, float>;

FOVEA_HD int32_t element(int32_t v) { return v; }
template <class X>
FOVEA_HD float element(X v) {
  return load(v);
}

struct Sum {
  template <class T>
  static FOVEA_HD T start() {
    return 0;
  }
  template <class T>
  static FOVEA_HD T apply(T a, T b) {
    return a + b;
  }
  static FOVEA_HD int64_t apply(int64_t a, int64_t b) {
    return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
};
struct Prod {
  template <class T>
  static FOVEA_HD T start() {
    return 1;
  }
  template <class T>
  static FOVEA_HD T apply(T a, T b) {
    return a * b;
  }
  static FOVEA_HD int64_t apply(int64_t a, int64_t b) {
    return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
};
/** NaN wins. */
struct Max {
  template <class T>
  static FOVEA_HD T start() {
    if constexpr (std::is_same_v<T, int64_t>) {
      return -2147483647 - 1;
    } else {
      return static_cast<T>(-HUGE_VALF);
    }
  }
  template <class T>
  static FOVEA_HD T apply(T a, T b) {
    return b > a || b != b ? b : a;
  }
};
struct Min {
  template <class T>
  static FOVEA_HD T start() {
    if constexpr (std::is_same_v<T, int64_t>) {
      return 2147483647;
    } else {
      return static_cast<T>(HUGE_VALF);
    }
  }
  template <class T>
  static FOVEA_HD T apply(T a, T b) {
    return b < a || b != b ? b : a;
  }
};

/** Calls `body` with the operation of `mode`. */
template <class Body>
FOVEA_HD void withOperation(ReduceMode mode, const Body& body) {
  switch (mode) {
    case ReduceMode::kSum:
    case ReduceMode::kMean:
      return body(Sum{});
    case ReduceMode::kProd:
      return body(Prod{});
    case ReduceMode::kMax:
      return body(Max{});
    case ReduceMode::kMin:
      return body(Min{});
  }
}

/** Where results go, and as what. */
struct Result {
  void* y;
  DType dtype;
  double divisor;  ///< Of a mean; else 1.

  FOVEA_HD void put(int64_t i, double v) const {
    const auto f = static_cast<float>(v / divisor);
    if (dtype == DType::kBfloat16) {
      store(static_cast<BFloat16*>(y) + i, f);
    } else if (dtype == DType::kFloat16) {
      store(static_cast<Float16*>(y) + i, f);
    } else {
      static_cast<float*>(y)[i] = f;
    }
  }
  FOVEA_HD void put(int64_t i, int64_t v) const {
    static_cast<int32_t*>(y)[i] = static_cast<int32_t>(static_cast<uint32_t>(v));
  }
};

}  // namespace reduction

template <class X>
struct Reduce {
  using Wide = reduction::Wide<X>;
  struct Args {
    const X* x;
    ReduceMode mode;
    Walk kept, reduced;
    int64_t outputs, total;     ///< Positions of each walk.
    int columns, lanes;         ///< Their product is the number of threads; lanes is a power of two.
    bool lanesTogether;         ///< Neighbouring threads are lanes of one output, else neighbouring outputs.
    int64_t chunks, chunkSize;  ///< Of the reduced positions.
    Wide* partials;             ///< [outputs][chunks]; null where there is one chunk.
    reduction::Result result;
  };

  template <class Op>
  static FOVEA_HD Wide sumUp(const Args& args, const X* x, int64_t from, int64_t to) {
    Wide total = Op::template start<Wide>();
    if constexpr (std::is_same_v<Wide, double>) {
      constexpr int kStretch = 64;
      while (from < to) {
        float part = Op::template start<float>();
        for (int k = 0; k < kStretch && from < to; ++k, from += args.lanes) {
          part = Op::apply(part, reduction::element(x[args.reduced.offset(from)]));
        }
        total = Op::apply(total, static_cast<double>(part));
      }
    } else {
      for (; from < to; from += args.lanes) {
        total = Op::apply(total, static_cast<int64_t>(x[args.reduced.offset(from)]));
      }
    }
    return total;
  }

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    Wide* shared = block.template shared<Wide>();
    const int64_t tiles = (args.outputs + args.columns - 1) / args.columns;
    for (int64_t task = block.index(); task < tiles * args.chunks; task += block.count()) {
      const int64_t tile = task / args.chunks, chunk = task - tile * args.chunks;
      const auto laneOf = [&](int thread) { return args.lanesTogether ? thread % args.lanes : thread / args.columns; };
      const auto outputOf = [&](int thread) {
        return tile * args.columns + (args.lanesTogether ? thread / args.lanes : thread % args.columns);
      };
      // shared[lane][column]
      const auto cell = [&](int thread) {
        return laneOf(thread) * args.columns + (args.lanesTogether ? thread / args.lanes : thread % args.columns);
      };
      reduction::withOperation(args.mode, [&](auto operation) {
        using Op = decltype(operation);
        block.each([&](int thread) {
          const int64_t q = outputOf(thread), from = chunk * args.chunkSize;
          const int64_t to = from + args.chunkSize < args.total ? from + args.chunkSize : args.total;
          shared[cell(thread)] = q < args.outputs
                                     ? sumUp<Op>(args, args.x + args.kept.offset(q), from + laneOf(thread), to)
                                     : Op::template start<Wide>();
        });
        for (int half = args.lanes / 2; half > 0; half /= 2) {
          block.each([&](int thread) {
            if (laneOf(thread) >= half) return;
            const int c = cell(thread);
            shared[c] = Op::apply(shared[c], shared[c + half * args.columns]);
          });
        }
      });
      block.each([&](int thread) {
        const int64_t q = outputOf(thread);
        if (laneOf(thread) != 0 || q >= args.outputs) return;
        if (args.partials == nullptr) {
          args.result.put(q, shared[cell(thread)]);
        } else {
          args.partials[q * args.chunks + chunk] = shared[cell(thread)];
        }
      });
    }
  }
};

/** Joins the chunks of Reduce; kJoinLanes threads an output. */
template <class Wide>
struct JoinChunks {
  struct Args {
    const Wide* partials;
    ReduceMode mode;
    int64_t outputs, chunks;
    reduction::Result result;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    Wide* shared = block.template shared<Wide>();
    const int columns = block.threads() / kJoinLanes;
    for (int64_t first = int64_t{block.index()} * columns; first < args.outputs;
         first += int64_t{block.count()} * columns) {
      reduction::withOperation(args.mode, [&](auto operation) {
        using Op = decltype(operation);
        block.each([&](int thread) {
          const int64_t q = first + thread / kJoinLanes;
          Wide total = Op::template start<Wide>();
          if (q < args.outputs) {
            for (int64_t c = thread % kJoinLanes; c < args.chunks; c += kJoinLanes) {
              total = Op::apply(total, args.partials[q * args.chunks + c]);
            }
          }
          shared[thread] = total;
        });
        for (int half = kJoinLanes / 2; half > 0; half /= 2) {
          block.each([&](int thread) {
            if (thread % kJoinLanes < half) shared[thread] = Op::apply(shared[thread], shared[thread + half]);
          });
        }
      });
      block.each([&](int thread) {
        const int64_t q = first + thread / kJoinLanes;
        if (thread % kJoinLanes == 0 && q < args.outputs) args.result.put(q, shared[thread]);
      });
    }
  }
};

/** The first maximum along an axis of x [outer, axis, inner]; NaN counts as larger than any number. */
template <class X>
struct ArgMax {
  using T = reduction::Narrow<X>;
  struct Args {
    const X* x;
    int32_t* y;
    int64_t outputs, axis, inner;
    int lanes;  ///< Threads of one output, a power of two; 1 unless inner is 1.
  };
  struct Best {
    T value;
    int32_t index;
  };

  /** Whether b, of a higher or another lane, beats a. */
  static FOVEA_HD bool beats(const Best& b, const Best& a) {
    if (b.index < 0) return false;
    if (a.index < 0) return true;
    const bool bNan = b.value != b.value, aNan = a.value != a.value;
    if (bNan || aNan) return bNan && (!aNan || b.index < a.index);
    return b.value > a.value || (b.value == a.value && b.index < a.index);
  }

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    Best* shared = block.template shared<Best>();
    const int columns = block.threads() / args.lanes;
    for (int64_t first = int64_t{block.index()} * columns; first < args.outputs;
         first += int64_t{block.count()} * columns) {
      block.each([&](int thread) {
        const int64_t q = first + thread / args.lanes;
        Best best{T{}, -1};
        if (q < args.outputs) {
          const int64_t o = q / args.inner;
          const X* x = args.x + o * args.axis * args.inner + (q - o * args.inner);
          for (int64_t a = thread % args.lanes; a < args.axis; a += args.lanes) {
            const Best other{reduction::element(x[a * args.inner]), static_cast<int32_t>(a)};
            if (beats(other, best)) best = other;
          }
        }
        shared[thread] = best;
      });
      for (int half = args.lanes / 2; half > 0; half /= 2) {
        block.each([&](int thread) {
          if (thread % args.lanes < half && beats(shared[thread + half], shared[thread])) {
            shared[thread] = shared[thread + half];
          }
        });
      }
      block.each([&](int thread) {
        const int64_t q = first + thread / args.lanes;
        if (thread % args.lanes == 0 && q < args.outputs) args.y[q] = shared[thread].index;
      });
    }
  }
};

#define FOVEA_REDUCE_KERNELS(X) \
  X(Reduce<float>)              \
  X(Reduce<BFloat16>)           \
  X(Reduce<Float16>)            \
  X(Reduce<int32_t>)            \
  X(JoinChunks<double>)         \
  X(JoinChunks<int64_t>)        \
  X(ArgMax<float>)              \
  X(ArgMax<BFloat16>)           \
  X(ArgMax<Float16>)            \
  X(ArgMax<int32_t>)

}  // namespace fovea::cuda
