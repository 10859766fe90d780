#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "core/pool_geometry.h"
#include "cpu/backend.h"
#include "cpu/kernel_base.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/pool_sums.h"
#include "cpu/simd.h"

/**
 * @file
 * Pooling in NHWC: the inner loops run along the channels. The backward kernels work on whole images (and blocks of
 * channels), so that overlapping windows never meet across threads.
 */
namespace fovea::cpu {
namespace {

using Span = PoolSpan;

struct Geometry : Pool2dGeometry {
  bool exact2x2;  ///< 2x2 windows, stride 2, no padding.
};

/** Those that window `i` covers. */
FOVEA_INLINE Span span(int64_t i, int64_t stride, int64_t pad, int64_t k, int64_t size) {
  const int64_t start = i * stride - pad;
  return {std::max<int64_t>(start, 0), std::min(start + k, size)};
}

Geometry geometry(const Pool2dGeometry& g) {
  const bool twos = g.kh == 2 && g.kw == 2 && g.sh == 2 && g.sw == 2;
  return {g, twos && g.top == 0 && g.left == 0 && 2 * g.oh <= g.h && 2 * g.ow <= g.w};
}

/** The larger one, or NaN if there is one. */
FOVEA_INLINE float larger(float a, float b) {
  const float m = b > a ? b : a;
  return b != b ? b : m;
}
/** Equal, or both NaN. */
FOVEA_INLINE bool same(float a, float b) { return (a == b) | ((a != a) & (b != b)); }

/** What equal elements, and all NaN, have in common: bfloat16 is compared without being widened. */
FOVEA_INLINE uint16_t keyOf(BFloat16 v) {
  const uint16_t magnitude = v.bits & 0x7fff;
  const uint16_t number = magnitude == 0 ? 0 : v.bits;
  return magnitude > 0x7f80 ? 0x7fc0 : number;
}

/** d goes to the first of the 2x2 elements at a that equals m; the others get 0. `row` is the way to the one below. */
FOVEA_INLINE void giveFirst(const float* a, float m, float d, float* to, int64_t c, int64_t row) {
  const bool e0 = same(a[0], m);
  const bool e1 = same(a[c], m) & !e0;
  const bool e2 = same(a[row], m) & !(e0 | e1);
  to[0] = e0 ? d : 0.0f;
  to[c] = e1 ? d : 0.0f;
  to[row] = e2 ? d : 0.0f;
  to[row + c] = e0 | e1 | e2 ? 0.0f : d;
}
FOVEA_INLINE void giveFirst(const BFloat16* a, BFloat16 m, BFloat16 d, BFloat16* to, int64_t c, int64_t row) {
  const uint16_t key = keyOf(m);
  const uint16_t e0 = keyOf(a[0]) == key ? 0xffff : 0;
  const uint16_t e1 = keyOf(a[c]) == key ? 0xffff & ~e0 : 0;
  const uint16_t found = e0 | e1;
  const uint16_t e2 = keyOf(a[row]) == key ? 0xffff & ~found : 0;
  to[0].bits = d.bits & e0;
  to[c].bits = d.bits & e1;
  to[row].bits = d.bits & e2;
  to[row + c].bits = d.bits & static_cast<uint16_t>(~(found | e2));
}

/** The largest of the 3x3 elements at x, a channel at a time; `row` is the way to the ones below. */
template <class T>
FOVEA_INLINE void largestOf3x3(const T* x, T* y, int64_t c, int64_t row) {
#pragma omp simd
  for (int64_t j = 0; j < c; ++j) {
    float m = load(x[j]);
#pragma GCC unroll 8
    for (int64_t i = 1; i < 9; ++i) m = larger(m, load(x[i / 3 * row + i % 3 * c + j]));
    store(y + j, m);
  }
}

/** Output row `r` of n * oh. */
template <class T>
FOVEA_INLINE void maxForwardRowOf(const Geometry& g, const T* x, T* y, int64_t r) {
  const int64_t n = r / g.oh, oy = r % g.oh, c = g.c;
  const T* image = x + n * g.h * g.w * c;
  y += r * g.ow * c;
  if (g.exact2x2) {
    const T* a = image + 2 * oy * g.w * c;
    const T* b = a + g.w * c;
    for (int64_t ox = 0; ox < g.ow; ++ox, a += 2 * c, b += 2 * c, y += c) {
#pragma omp simd
      for (int64_t j = 0; j < c; ++j) {
        store(y + j, larger(larger(load(a[j]), load(a[c + j])), larger(load(b[j]), load(b[c + j]))));
      }
    }
    return;
  }
  const Span rows = span(oy, g.sh, g.top, g.kh, g.h);
  for (int64_t ox = 0; ox < g.ow; ++ox, y += c) {
    const Span columns = span(ox, g.sw, g.left, g.kw, g.w);
    if (rows.end - rows.begin == 3 && columns.end - columns.begin == 3) {
      largestOf3x3(image + (rows.begin * g.w + columns.begin) * c, y, c, g.w * c);
      continue;
    }
    for (int64_t j = 0; j < c; ++j) store(y + j, -std::numeric_limits<float>::infinity());
    for (int64_t iy = rows.begin; iy < rows.end; ++iy) {
      for (int64_t ix = columns.begin; ix < columns.end; ++ix) {
        const T* v = image + (iy * g.w + ix) * c;
#pragma omp simd
        for (int64_t j = 0; j < c; ++j) store(y + j, larger(load(y[j]), load(v[j])));
      }
    }
  }
}

/** Two rows of inputs under output row `r`, when windows tile the input: every element is written once. */
template <class T>
FOVEA_INLINE void maxBackward2x2Of(const Geometry& g, const T* x, const T* y, const T* dy, T* dx, int64_t r) {
  const int64_t n = r / g.oh, oy = r % g.oh, c = g.c, row = g.w * c;
  const T* a = x + (n * g.h + 2 * oy) * row;
  T* to = dx + (n * g.h + 2 * oy) * row;
  y += r * g.ow * c;
  dy += r * g.ow * c;
  for (int64_t ox = 0; ox < g.ow; ++ox, a += 2 * c, to += 2 * c, y += c, dy += c) {
#pragma omp simd
    for (int64_t j = 0; j < c; ++j) giveFirst(a + j, y[j], dy[j], to + j, c, row);
  }
  // What no window covers: a last column, and below the last window a last row.
  const int64_t rest = g.w - 2 * g.ow;
  if (rest > 0) {
    std::memset(to, 0, rest * c * sizeof(T));
    std::memset(to + row, 0, rest * c * sizeof(T));
  }
  if (oy == g.oh - 1) {
    T* below = dx + (n * g.h + 2 * g.oh) * row;
    std::memset(below, 0, (g.h - 2 * g.oh) * row * sizeof(T));
  }
}

// One clone set for each type.
#define FOVEA_POOL_LOOPS(T)                                                                                        \
  FOVEA_CLONES void maxForwardRow(const Geometry& g, const T* x, T* y, int64_t r) { maxForwardRowOf(g, x, y, r); } \
  FOVEA_CLONES void maxBackward2x2(const Geometry& g, const T* x, const T* y, const T* dy, T* dx, int64_t r) {     \
    maxBackward2x2Of(g, x, y, dy, dx, r);                                                                          \
  }
FOVEA_POOL_LOOPS(float)
FOVEA_POOL_LOOPS(BFloat16)
#undef FOVEA_POOL_LOOPS

constexpr int64_t kChannelBlock = 64;

/**
 * Adds dy to the sum of the first of the 3x3 elements at x that equals m, for `count` channels. `row` and `c` are the
 * ways to the elements below and beside it; sums[i] is where those of a row begin, `step` the way between them.
 */
template <class T>
FOVEA_INLINE void addToFirstOf3x3(const T* x, int64_t row, int64_t c, const T* m, const T* dy, float* const sums[3],
                                  int64_t step, int64_t count) {
#pragma omp simd
  for (int64_t j = 0; j < count; ++j) {
    const float largest = load(m[j]);
    float rest = load(dy[j]);  // Until its place is found, then 0.
#pragma GCC unroll 9
    for (int64_t i = 0; i < 9; ++i) {
      const bool hit = same(load(x[i / 3 * row + i % 3 * c + j]), largest);
      sums[i / 3][i % 3 * step + j] += hit ? rest : 0.0f;
      rest = hit ? 0.0f : rest;
    }
  }
}

/** Image n, channels from..to-1. */
template <class T>
FOVEA_INLINE void maxBackwardImageOf(const Geometry& g, const T* x, const T* y, const T* dy, T* dx, int64_t n,
                                     int64_t from, int64_t to, float* scratch) {
  const int64_t c = g.c;
  const T* image = x + n * g.h * g.w * c;
  Sums<T> sums(g, dx + n * g.h * g.w * c, from, to, scratch);
  float rest[kChannelBlock];  // dy until its position is found, then 0.
  for (int64_t oy = 0; oy < g.oh; ++oy) {
    const Span rows = span(oy, g.sh, g.top, g.kh, g.h);
    sums.take(rows);
    for (int64_t ox = 0; ox < g.ow; ++ox) {
      const Span columns = span(ox, g.sw, g.left, g.kw, g.w);
      const int64_t output = ((n * g.oh + oy) * g.ow + ox) * c;
      if (rows.end - rows.begin == 3 && columns.end - columns.begin == 3) {
        float* const at[3] = {sums.at(rows.begin, columns.begin), sums.at(rows.begin + 1, columns.begin),
                              sums.at(rows.begin + 2, columns.begin)};
        addToFirstOf3x3(image + (rows.begin * g.w + columns.begin) * c + from, g.w * c, c, y + output + from,
                        dy + output + from, at, sums.step(), to - from);
        continue;
      }
      for (int64_t first = from; first < to; first += kChannelBlock) {
        const int64_t count = std::min(kChannelBlock, to - first), o = output + first;
        const T* m = y + o;
        for (int64_t j = 0; j < count; ++j) rest[j] = load(dy[o + j]);
        for (int64_t iy = rows.begin; iy < rows.end; ++iy) {
          for (int64_t ix = columns.begin; ix < columns.end; ++ix) {
            const T* v = image + (iy * g.w + ix) * c + first;
            float* t = sums.at(iy, ix) + (first - from);
#pragma omp simd
            for (int64_t j = 0; j < count; ++j) {
              const bool hit = same(load(v[j]), load(m[j]));
              t[j] += hit ? rest[j] : 0.0f;
              rest[j] = hit ? 0.0f : rest[j];
            }
          }
        }
      }
    }
  }
  sums.finish();
}

#define FOVEA_POOL_GRADIENT(T)                                                                                 \
  FOVEA_CLONES void maxBackwardImage(const Geometry& g, const T* x, const T* y, const T* dy, T* dx, int64_t n, \
                                     int64_t from, int64_t to, float* scratch) {                               \
    maxBackwardImageOf(g, x, y, dy, dx, n, from, to, scratch);                                                 \
  }
FOVEA_POOL_GRADIENT(float)
FOVEA_POOL_GRADIENT(BFloat16)
#undef FOVEA_POOL_GRADIENT

FOVEA_CLONES void averageForwardRow(const Geometry& g, const float* x, float* y, int64_t r) {
  const int64_t n = r / g.oh, oy = r % g.oh, c = g.c;
  const float* image = x + n * g.h * g.w * c;
  y += r * g.ow * c;
  const Span rows = span(oy, g.sh, g.top, g.kh, g.h);
  for (int64_t ox = 0; ox < g.ow; ++ox, y += c) {
    const Span columns = span(ox, g.sw, g.left, g.kw, g.w);
    for (int64_t j = 0; j < c; ++j) y[j] = 0;
    for (int64_t iy = rows.begin; iy < rows.end; ++iy) {
      for (int64_t ix = columns.begin; ix < columns.end; ++ix) {
        const float* v = image + (iy * g.w + ix) * c;
#pragma omp simd
        for (int64_t j = 0; j < c; ++j) y[j] += v[j];
      }
    }
    const int64_t count = (rows.end - rows.begin) * (columns.end - columns.begin);
    const float scale = rows.end > rows.begin && columns.end > columns.begin ? 1.0f / static_cast<float>(count) : 0.0f;
#pragma omp simd
    for (int64_t j = 0; j < c; ++j) y[j] *= scale;
  }
}

FOVEA_CLONES void averageBackwardImage(const Geometry& g, const float* dy, float* dx, int64_t n, int64_t from,
                                       int64_t to) {
  const int64_t c = g.c, count = to - from;
  float* target = dx + n * g.h * g.w * c + from;
  int64_t cleared = 0;
  for (int64_t oy = 0; oy < g.oh; ++oy) {
    const Span rows = span(oy, g.sh, g.top, g.kh, g.h);
    clearRows(g, target, count, cleared, rows.end);
    for (int64_t ox = 0; ox < g.ow; ++ox) {
      const Span columns = span(ox, g.sw, g.left, g.kw, g.w);
      if (rows.end <= rows.begin || columns.end <= columns.begin) continue;
      const float scale = 1.0f / static_cast<float>((rows.end - rows.begin) * (columns.end - columns.begin));
      const float* d = dy + ((n * g.oh + oy) * g.ow + ox) * c + from;
      for (int64_t iy = rows.begin; iy < rows.end; ++iy) {
        for (int64_t ix = columns.begin; ix < columns.end; ++ix) {
          float* t = target + (iy * g.w + ix) * c;
#pragma omp simd
          for (int64_t j = 0; j < count; ++j) t[j] += d[j] * scale;
        }
      }
    }
  }
  clearRows(g, target, count, cleared, g.h);
}

/** Calls `body(n, from, to, thread)` for images and channels: blocks of these where images do not fill the pool. */
template <class Body>
void overImages(const Geometry& g, const Body& body) {
  const int64_t width = g.n >= maxThreads() ? std::max<int64_t>(g.c, 1) : kChannelBlock;
  const int64_t blocks = (g.c + width - 1) / width;
  parallelRanges(g.n * blocks, g.oh * g.ow * g.kh * g.kw * width, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t from = i % blocks * width;
      body(i / blocks, from, std::min(from + width, g.c), thread);
    }
  });
}

}  // namespace

KernelPtr CpuBackend::prepareMaxPool2d(const Pool2dDesc& d) {
  const Geometry g = geometry(parsePool2d("maxPool2d", d));
  if (uses(d, DType::kFloat16)) return converting(d, prepareMaxPool2d(inFloat32(d)));
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel([g](const Pointers& p) {
      const T* x = in<T>(p, 0);
      T* y = out<T>(p, 0);
      parallelFor(g.n * g.oh, g.ow * g.c * g.kh * g.kw, [&](int64_t r) { maxForwardRow(g, x, y, r); });
    });
  });
}

KernelPtr CpuBackend::prepareMaxPool2dBackward(const Pool2dDesc& d) {
  const Geometry g = geometry(parseMaxPool2dBackward(d));
  if (uses(d, DType::kFloat16)) return converting(d, prepareMaxPool2dBackward(inFloat32(d)));
  if (g.exact2x2) {
    return withFloatType(d.inputs[0].dtype, [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      return makeKernel([g](const Pointers& p) {
        parallelFor(g.n * g.oh, g.ow * g.c * 8,
                    [&](int64_t r) { maxBackward2x2(g, in<T>(p, 0), in<T>(p, 1), in<T>(p, 2), out<T>(p, 0), r); });
      });
    });
  }
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const size_t perThread = align64(sizeof(float) * Sums<T>::scratch(g));
    return makeKernel(
        [g, perThread](const Pointers& p) {
          overImages(g, [&](int64_t n, int64_t from, int64_t to, int thread) {
            maxBackwardImage(g, in<T>(p, 0), in<T>(p, 1), in<T>(p, 2), out<T>(p, 0), n, from, to,
                             at<float>(p.workspace, perThread * thread));
          });
        },
        perThread * maxThreads());
  });
}

KernelPtr CpuBackend::prepareAvgPool2d(const Pool2dDesc& d) {
  const Geometry g = geometry(parsePool2d("avgPool2d", d));
  if (usesNarrow(d)) return converting(d, prepareAvgPool2d(inFloat32(d)));
  return makeKernel([g](const Pointers& p) {
    const float* x = in<float>(p, 0);
    float* y = out<float>(p, 0);
    parallelFor(g.n * g.oh, g.ow * g.c * g.kh * g.kw, [&](int64_t r) { averageForwardRow(g, x, y, r); });
  });
}

KernelPtr CpuBackend::prepareAvgPool2dBackward(const Pool2dDesc& d) {
  const Geometry g = geometry(parseAvgPool2dBackward(d));
  if (usesNarrow(d)) return converting(d, prepareAvgPool2dBackward(inFloat32(d)));
  return makeKernel([g](const Pointers& p) {
    const float* dy = in<float>(p, 0);
    float* dx = out<float>(p, 0);
    overImages(g, [&](int64_t n, int64_t from, int64_t to, int) { averageBackwardImage(g, dy, dx, n, from, to); });
  });
}

}  // namespace fovea::cpu
