#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "core/reduce_geometry.h"
#include "cpu/backend.h"
#include "cpu/kernel_base.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"

/**
 * @file
 * reduce and argMax. Dimensions are merged into kept and reduced groups; the reduced space is cut into chunks whose
 * number depends on the shape alone, and the chunks' partial results are combined in order: the result is the same for
 * any thread count. Sums run in float over short stretches and are carried on in double.
 */
namespace fovea::cpu {
namespace {

constexpr int64_t kChunk = 1 << 14;  ///< Elements of a chunk, at least.
constexpr int64_t kFold = 64;        ///< Rows summed in float before they go to double.
constexpr int64_t kLanes = 32;       ///< Independent sums along a contiguous run.

struct Sum {
  static constexpr double start = 0;
  template <class T>
  static FOVEA_INLINE T apply(T a, T b) {
    return a + b;
  }
};
struct Prod {
  static constexpr double start = 1;
  template <class T>
  static FOVEA_INLINE T apply(T a, T b) {
    return a * b;
  }
};
struct Max {
  static constexpr double start = -std::numeric_limits<double>::infinity();
  template <class T>
  static FOVEA_INLINE T apply(T a, T b) {
    return (b > a) | (b != b) ? b : a;
  }
};
struct Min {
  static constexpr double start = std::numeric_limits<double>::infinity();
  template <class T>
  static FOVEA_INLINE T apply(T a, T b) {
    return (b < a) | (b != b) ? b : a;
  }
};

/** What elements of type X are computed with. */
template <class X>
using Computed = std::conditional_t<std::is_same_v<X, BFloat16>, float, X>;
template <class X>
FOVEA_INLINE Computed<X> element(X v) {
  if constexpr (std::is_same_v<X, BFloat16>) return load(v);
  if constexpr (!std::is_same_v<X, BFloat16>) return v;
}

/** Partials: double, or for int32 sums and products 64-bit integers that wrap. */
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, uint64_t>;

/** The neutral element of `Op` in `A`. */
template <class Op, class T, class A>
FOVEA_INLINE A startOf() {
  if constexpr (std::is_same_v<T, float>) return static_cast<A>(Op::start);
  if constexpr (std::is_same_v<Op, Max>) return static_cast<A>(std::numeric_limits<int32_t>::min());
  if constexpr (std::is_same_v<Op, Min>) return static_cast<A>(std::numeric_limits<int32_t>::max());
  return static_cast<A>(Op::start);
}

template <class Op, class T>
FOVEA_INLINE Wide<T> combine(Wide<T> a, Wide<T> b) {
  if constexpr (std::is_same_v<T, float>) return Op::apply(a, b);
  // Max and Min compare as signed numbers.
  if constexpr (std::is_same_v<Op, Prod>) return a * b;  // unsigned: wraps without undefined behaviour
  return static_cast<Wide<T>>(Op::apply(static_cast<int64_t>(a), static_cast<int64_t>(b)));
}

template <class Op, class X, class T = Computed<X>>
FOVEA_INLINE Wide<T> runBody(const X* x, int64_t n, Wide<T> total) {
  if constexpr (std::is_same_v<T, float>) {
    for (int64_t i = 0; i < n;) {
      const int64_t stretch = std::min(n - i, kFold * kLanes), whole = stretch / kLanes * kLanes;
      float lanes[kLanes];
      for (int64_t l = 0; l < kLanes; ++l) lanes[l] = static_cast<float>(Op::start);
      for (int64_t j = 0; j < whole; j += kLanes) {
#pragma omp simd
        for (int64_t l = 0; l < kLanes; ++l) lanes[l] = Op::apply(lanes[l], element(x[i + j + l]));
      }
      for (int64_t l = 0; l < kLanes; ++l) total = Op::apply(total, static_cast<double>(lanes[l]));
      for (int64_t j = whole; j < stretch; ++j) total = Op::apply(total, static_cast<double>(element(x[i + j])));
      i += stretch;
    }
    return total;
  } else {
    for (int64_t i = 0; i < n; ++i) total = combine<Op, T>(total, static_cast<Wide<T>>(static_cast<int64_t>(x[i])));
    return total;
  }
}

/** acc[j] = acc[j] op x[j]. */
template <class Op, class X, class T = Computed<X>>
FOVEA_INLINE void rowBody(T* acc, const X* x, int64_t n) {
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) {
    if constexpr (std::is_same_v<T, int32_t>) {
      acc[j] = static_cast<int32_t>(
          static_cast<uint32_t>(std::is_same_v<Op, Sum>    ? static_cast<uint32_t>(acc[j]) + static_cast<uint32_t>(x[j])
                                : std::is_same_v<Op, Prod> ? static_cast<uint32_t>(acc[j]) * static_cast<uint32_t>(x[j])
                                                           : static_cast<uint32_t>(Op::apply(acc[j], x[j]))));
    } else {
      acc[j] = Op::apply(acc[j], element(x[j]));
    }
  }
}

// One clone set for each operation and type that the templates below name.
#define FOVEA_REDUCE_LOOPS(Op, X)                                                            \
  FOVEA_CLONES Wide<Computed<X>> runOf(Op, const X* x, int64_t n, Wide<Computed<X>> total) { \
    return runBody<Op>(x, n, total);                                                         \
  }                                                                                          \
  FOVEA_CLONES void rowOf(Op, Computed<X>* acc, const X* x, int64_t n) { rowBody<Op>(acc, x, n); }
FOVEA_REDUCE_LOOPS(Sum, float)
FOVEA_REDUCE_LOOPS(Prod, float)
FOVEA_REDUCE_LOOPS(Max, float)
FOVEA_REDUCE_LOOPS(Min, float)
FOVEA_REDUCE_LOOPS(Sum, BFloat16)
FOVEA_REDUCE_LOOPS(Prod, BFloat16)
FOVEA_REDUCE_LOOPS(Max, BFloat16)
FOVEA_REDUCE_LOOPS(Min, BFloat16)
FOVEA_REDUCE_LOOPS(Sum, int32_t)
FOVEA_REDUCE_LOOPS(Prod, int32_t)
FOVEA_REDUCE_LOOPS(Max, int32_t)
FOVEA_REDUCE_LOOPS(Min, int32_t)
#undef FOVEA_REDUCE_LOOPS

/** An odometer over some dims of x: the element offset of the i-th position. */
struct Walk {
  Dims dims, strides;
  int64_t count() const { return product(dims); }
  int64_t offset(int64_t i) const {
    int64_t o = 0;
    for (size_t d = dims.size(); d-- > 0;) {
      o += i % dims[d] * strides[d];
      i /= dims[d];
    }
    return o;
  }
};

struct Geometry {
  Walk kept, reduced;  ///< Without the contiguous group below.
  int64_t inner = 1;   ///< The last group: reduced if `innerReduced`, else kept.
  bool innerReduced = false;
  int64_t outer = 1, total = 1, chunks = 1, chunkSize = 1;  ///< total: reduced positions (times inner if reduced).
  double divisor = 1;
};

Geometry plan(const Dims& dims, const std::vector<int64_t>& axes) {
  Geometry g;
  Dims merged;
  std::vector<bool> isReduced;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 1) continue;
    const bool r = std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) != axes.end();
    if (r) g.divisor *= static_cast<double>(dims[i]);
    if (!merged.empty() && isReduced.back() == r) {
      merged.back() *= dims[i];
    } else {
      merged.push_back(dims[i]);
      isReduced.push_back(r);
    }
  }
  int64_t stride = 1;
  for (size_t i = merged.size(); i-- > 0;) {
    if (i + 1 == merged.size()) {
      g.inner = merged[i];
      g.innerReduced = isReduced[i];
    } else {
      Walk& w = isReduced[i] ? g.reduced : g.kept;
      w.dims.insert(w.dims.begin(), merged[i]);
      w.strides.insert(w.strides.begin(), stride);
    }
    stride *= merged[i];
  }
  g.outer = g.kept.count();
  g.total = g.reduced.count() * (g.innerReduced ? g.inner : 1);
  const int64_t width = g.innerReduced ? 1 : g.inner;
  // Cut the reduced space only where the kept one gives too few tasks.
  const int64_t tasks = std::max<int64_t>(g.outer, 1);
  const int64_t byWork = g.total * width / kChunk;
  g.chunks = std::clamp<int64_t>(std::min<int64_t>(byWork, 64 / tasks), 1, std::max<int64_t>(g.total, 1));
  g.chunkSize = (g.total + g.chunks - 1) / g.chunks;
  return g;
}

/** Reduces positions from..to-1 of the reduced space at kept position `base` into acc[0..width). */
template <class Op, class X, class T = Computed<X>>
void reduceChunk(const Geometry& g, const X* x, int64_t from, int64_t to, Wide<T>* acc, T* scratch) {
  if (g.innerReduced) {
    Wide<T> total = startOf<Op, T, Wide<T>>();
    for (int64_t i = from; i < to;) {
      const int64_t row = i / g.inner, column = i % g.inner, run = std::min(to - i, g.inner - column);
      total = runOf(Op{}, x + g.reduced.offset(row) + column, run, total);
      i += run;
    }
    acc[0] = total;
    return;
  }
  for (int64_t j = 0; j < g.inner; ++j) acc[j] = startOf<Op, T, Wide<T>>();
  for (int64_t i = from; i < to;) {
    const int64_t stop = std::min(to, i + kFold);
    for (int64_t j = 0; j < g.inner; ++j) scratch[j] = startOf<Op, T, T>();
    for (; i < stop; ++i) rowOf(Op{}, scratch, x + g.reduced.offset(i), g.inner);
    for (int64_t j = 0; j < g.inner; ++j) {
      if constexpr (std::is_same_v<T, float>) {
        acc[j] = Op::apply(acc[j], static_cast<double>(scratch[j]));
      } else {
        acc[j] = combine<Op, T>(acc[j], static_cast<Wide<T>>(static_cast<int64_t>(scratch[j])));
      }
    }
  }
}

/** X are the elements, Y the results. */
template <class Op, class X, class Y>
KernelPtr makeReduce(const Geometry& g, double scale) {
  using T = Computed<X>;
  const int64_t width = g.innerReduced ? 1 : g.inner;
  Layout layout;
  const size_t partials = layout.take(sizeof(Wide<T>) * g.outer * g.chunks * width);
  const size_t perThread = align64(sizeof(T) * width);
  const size_t scratch = layout.take(perThread * maxThreads());
  return makeKernel(
      [=](const Pointers& p) {
        auto* acc = at<Wide<T>>(p.workspace, partials);
        parallelRanges(g.outer * g.chunks, g.chunkSize * width, [&](int64_t begin, int64_t end, int thread) {
          T* own = at<T>(p.workspace, scratch + perThread * thread);
          for (int64_t t = begin; t < end; ++t) {
            const int64_t o = t / g.chunks, c = t % g.chunks;
            const int64_t from = std::min(c * g.chunkSize, g.total), to = std::min(from + g.chunkSize, g.total);
            reduceChunk<Op>(g, in<X>(p, 0) + g.kept.offset(o), from, to, acc + t * width, own);
          }
        });
        Y* y = out<Y>(p, 0);
        parallelFor(g.outer, g.chunks * width, [&](int64_t o) {
          for (int64_t j = 0; j < width; ++j) {
            Wide<T> v = acc[o * g.chunks * width + j];
            for (int64_t c = 1; c < g.chunks; ++c) v = combine<Op, T>(v, acc[(o * g.chunks + c) * width + j]);
            if constexpr (std::is_same_v<T, float>) {
              store(y + o * width + j, static_cast<float>(v / scale));
            } else {
              y[o * width + j] = static_cast<T>(v);
            }
          }
        });
      },
      layout.bytes());
}

template <class X, class Y>
KernelPtr makeReduceFor(ReduceMode mode, const Geometry& g) {
  switch (mode) {
    case ReduceMode::kSum:
      return makeReduce<Sum, X, Y>(g, 1);
    case ReduceMode::kMean:
      return makeReduce<Sum, X, Y>(g, g.divisor);
    case ReduceMode::kProd:
      return makeReduce<Prod, X, Y>(g, 1);
    case ReduceMode::kMax:
      return makeReduce<Max, X, Y>(g, 1);
    case ReduceMode::kMin:
      return makeReduce<Min, X, Y>(g, 1);
  }
  throw Error("ERR_ARGUMENT", "reduce: expected a known mode");
}

template <class T>
void argMaxRows(const ArgMaxGeometry& g, const T* x, int32_t* y) {
  parallelFor(g.outer, g.axis * g.inner, [&](int64_t o) {
    const T* from = x + o * g.axis * g.inner;
    int32_t* to = y + o * g.inner;
    for (int64_t j = 0; j < g.inner; ++j) to[j] = 0;
    for (int64_t a = 1; a < g.axis; ++a) {
      for (int64_t j = 0; j < g.inner; ++j) {
        const T best = from[to[j] * g.inner + j], v = from[a * g.inner + j];
        if (v > best || (v != v && best == best)) to[j] = static_cast<int32_t>(a);
      }
    }
  });
}

}  // namespace

KernelPtr CpuBackend::prepareReduce(const ReduceDesc& d) {
  checkReduce(d);
  if (uses(d, DType::kFloat16)) return converting(d, prepareReduce(inFloat32(d)));
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  const Geometry g = plan(x.dims, d.axes);
  if (y.size() == 0) return makeKernel([](const Pointers&) {});
  if (x.dtype == DType::kInt32) return makeReduceFor<int32_t, int32_t>(d.mode, g);
  if (x.dtype == DType::kFloat32) return makeReduceFor<float, float>(d.mode, g);
  return y.dtype == DType::kFloat32 ? makeReduceFor<BFloat16, float>(d.mode, g)
                                    : makeReduceFor<BFloat16, BFloat16>(d.mode, g);
}

KernelPtr CpuBackend::prepareArgMax(const AxisDesc& d) {
  const ArgMaxGeometry g = parseArgMax(d);
  if (usesNarrow(d)) return converting(d, prepareArgMax(inFloat32(d)));
  const bool isInt = d.inputs[0].dtype == DType::kInt32;
  return makeKernel([=](const Pointers& p) {
    if (isInt) {
      argMaxRows(g, in<int32_t>(p, 0), out<int32_t>(p, 0));
    } else {
      argMaxRows(g, in<float>(p, 0), out<int32_t>(p, 0));
    }
  });
}

}  // namespace fovea::cpu
