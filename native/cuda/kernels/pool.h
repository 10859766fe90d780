#pragma once

#include <cmath>
#include <cstdint>

#include "cuda/kernels/convert.h"
#include "cuda/kernels/divide.h"

/**
 * @file
 * Pooling in NHWC, one thread an element of the result, neighbouring threads on neighbouring channels. The backward
 * kernels gather: an input position adds up what the windows over it send, in their order.
 */
namespace fovea::cuda {

struct PoolGeometry {
  int64_t h, w, c, oh, ow;
  int64_t kh, kw, sh, sw, top, left;
  Divisor byH, byW, byC, byOh, byOw, bySh, bySw;
};

namespace pool {

/** Positions [begin, end). */
struct Span {
  int64_t begin, end;
};

/** Input positions that window `o` covers along an axis. */
FOVEA_HD Span covered(int64_t o, int64_t stride, int64_t pad, int64_t k, int64_t size) {
  const int64_t start = o * stride - pad, end = start + k;
  return {start < 0 ? 0 : start, end < size ? end : size};
}

/** Windows that cover input position `i` along an axis. */
FOVEA_HD Span covering(int64_t i, int64_t stride, const Divisor& byStride, int64_t pad, int64_t k, int64_t outputs) {
  const int64_t first = i + pad - k + 1, last = byStride.quotient(i + pad) + 1;
  return {first <= 0 ? 0 : byStride.quotient(first + stride - 1), last < outputs ? last : outputs};
}

FOVEA_HD Span rowsOf(const PoolGeometry& g, int64_t oy) { return covered(oy, g.sh, g.top, g.kh, g.h); }
FOVEA_HD Span columnsOf(const PoolGeometry& g, int64_t ox) { return covered(ox, g.sw, g.left, g.kw, g.w); }
FOVEA_HD Span rowsOver(const PoolGeometry& g, int64_t iy) { return covering(iy, g.sh, g.bySh, g.top, g.kh, g.oh); }
FOVEA_HD Span columnsOver(const PoolGeometry& g, int64_t ix) { return covering(ix, g.sw, g.bySw, g.left, g.kw, g.ow); }

/** Equal, or both NaN. */
FOVEA_HD bool same(float a, float b) { return a == b || (a != a && b != b); }

template <class T>
struct ForwardArgs {
  const T* x;
  T* y;
  int64_t n;  ///< Elements of y.
  PoolGeometry g;
};

/** y = of(plane, rows, columns) everywhere: x from the element's image and channel on, and its window there. */
template <class Block, class T, class Of>
FOVEA_HD void forward(Block& block, const ForwardArgs<T>& args, const Of& of) {
  block.each([&](int thread) {
    const PoolGeometry& g = args.g;
    for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
      int64_t image = i;
      const int64_t c = popAxis(image, g.byC), ox = popAxis(image, g.byOw), oy = popAxis(image, g.byOh);
      store(args.y + i, of(args.x + image * g.h * g.w * g.c + c, rowsOf(g, oy), columnsOf(g, ox)));
    }
  });
}

}  // namespace pool

template <class T>
struct MaxPool {
  using Args = pool::ForwardArgs<T>;

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const PoolGeometry& g = args.g;
    pool::forward(block, args, [&](const T* plane, const pool::Span& rows, const pool::Span& columns) {
      float best = -HUGE_VALF;
      for (int64_t iy = rows.begin; iy < rows.end; ++iy) {
        const T* row = plane + iy * g.w * g.c;
        for (int64_t ix = columns.begin; ix < columns.end; ++ix) {
          const float v = load(row[ix * g.c]);
          if (v > best || v != v) best = v;
        }
      }
      return best;
    });
  }
};

template <class T>
struct MaxPoolBackward {
  struct Args {
    const T *x, *y, *dy;
    T* dx;
    int64_t n;  ///< Elements of x.
    PoolGeometry g;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      const PoolGeometry& g = args.g;
      for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
        int64_t image = i;
        const int64_t c = popAxis(image, g.byC), ix = popAxis(image, g.byW), iy = popAxis(image, g.byH);
        const pool::Span down = pool::rowsOver(g, iy);
        const pool::Span across = pool::columnsOver(g, ix);
        const T* plane = args.x + image * g.h * g.w * g.c + c;
        const float v = load(args.x[i]);
        // Whether an earlier position of the window already equals its maximum.
        const auto taken = [&](int64_t oy, int64_t ox) {
          const pool::Span columns = pool::columnsOf(g, ox);
          for (int64_t row = pool::rowsOf(g, oy).begin; row <= iy; ++row) {
            const int64_t end = row < iy ? columns.end : ix;
            for (int64_t column = columns.begin; column < end; ++column) {
              if (pool::same(load(plane[(row * g.w + column) * g.c]), v)) return true;
            }
          }
          return false;
        };
        float sum = 0;
        for (int64_t oy = down.begin; oy < down.end; ++oy) {
          for (int64_t ox = across.begin; ox < across.end; ++ox) {
            const int64_t o = ((image * g.oh + oy) * g.ow + ox) * g.c + c;
            if (pool::same(load(args.y[o]), v) && !taken(oy, ox)) sum += load(args.dy[o]);
          }
        }
        store(args.dx + i, sum);
      }
    });
  }
};

template <class T>
struct AveragePool {
  using Args = pool::ForwardArgs<T>;

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const PoolGeometry& g = args.g;
    pool::forward(block, args, [&](const T* plane, const pool::Span& rows, const pool::Span& columns) {
      float sum = 0;
      for (int64_t iy = rows.begin; iy < rows.end; ++iy) {
        const T* row = plane + iy * g.w * g.c;
        for (int64_t ix = columns.begin; ix < columns.end; ++ix) sum += load(row[ix * g.c]);
      }
      const bool empty = rows.end <= rows.begin || columns.end <= columns.begin;
      const auto count = static_cast<float>((rows.end - rows.begin) * (columns.end - columns.begin));
      return empty ? 0.0f : sum * (1.0f / count);
    });
  }
};

template <class T>
struct AveragePoolBackward {
  struct Args {
    const T* dy;
    T* dx;
    int64_t n;  ///< Elements of dx.
    PoolGeometry g;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      const PoolGeometry& g = args.g;
      for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
        int64_t image = i;
        const int64_t c = popAxis(image, g.byC), ix = popAxis(image, g.byW), iy = popAxis(image, g.byH);
        const pool::Span down = pool::rowsOver(g, iy);
        const pool::Span across = pool::columnsOver(g, ix);
        float sum = 0;
        for (int64_t oy = down.begin; oy < down.end; ++oy) {
          const pool::Span rows = pool::rowsOf(g, oy);
          for (int64_t ox = across.begin; ox < across.end; ++ox) {
            const pool::Span columns = pool::columnsOf(g, ox);
            const auto count = static_cast<float>((rows.end - rows.begin) * (columns.end - columns.begin));
            sum += load(args.dy[((image * g.oh + oy) * g.ow + ox) * g.c + c]) * (1.0f / count);
          }
        }
        store(args.dx + i, sum);
      }
    });
  }
};

#define FOVEA_POOL_KERNELS(X)      \
  X(MaxPool<float>)                \
  X(MaxPool<BFloat16>)             \
  X(MaxPool<Float16>)              \
  X(MaxPoolBackward<float>)        \
  X(MaxPoolBackward<BFloat16>)     \
  X(MaxPoolBackward<Float16>)      \
  X(AveragePool<float>)            \
  X(AveragePool<BFloat16>)         \
  X(AveragePool<Float16>)          \
  X(AveragePoolBackward<float>)    \
  X(AveragePoolBackward<BFloat16>) \
  X(AveragePoolBackward<Float16>)

}  // namespace fovea::cuda
