#pragma once

#include <cstdint>

#include "cuda/kernels/convert.h"
#include "cuda/kernels/divide.h"

/**
 * @file
 * Image resizing in NHWC. Both methods are two taps an axis with weights worked out at preparation; nearest has one.
 * The backward kernel gathers: an input position adds up what the output positions that tap it send, in their order.
 */
namespace fovea::cuda {

/** Taps of one output position along one axis: low * (1 - t) + high * t. */
struct ResizeTap {
  int32_t low, high;
  float t;
};

/** Output positions [begin, end) that may tap an input position. */
struct ResizeSpan {
  int32_t begin, end;
};

struct ResizeGeometry {
  int64_t h, w, c, oh, ow;
  Divisor byH, byW, byC, byOh, byOw;
  const ResizeTap *rows, *columns;  ///< oh and ow of them.
};

template <class T>
struct Resize {
  struct Args {
    const T* x;
    T* y;
    int64_t n;  ///< Elements of y.
    ResizeGeometry g;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      const ResizeGeometry& g = args.g;
      for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
        int64_t image = i;
        const int64_t c = popAxis(image, g.byC), ox = popAxis(image, g.byOw), oy = popAxis(image, g.byOh);
        const ResizeTap u = g.columns[ox], v = g.rows[oy];
        const T* plane = args.x + image * g.h * g.w * g.c + c;
        const auto at = [&](int64_t y, int64_t x) { return load(plane[(y * g.w + x) * g.c]); };
        const float a = at(v.low, u.low);
        if (u.t == 0 && v.t == 0) {
          store(args.y + i, a);
          continue;
        }
        const float d = at(v.high, u.low);
        const float p = a + (at(v.low, u.high) - a) * u.t, q = d + (at(v.high, u.high) - d) * u.t;
        store(args.y + i, p + (q - p) * v.t);
      }
    });
  }
};

template <class T>
struct ResizeBackward {
  struct Args {
    const T* dy;
    T* dx;
    int64_t n;  ///< Elements of dx.
    ResizeGeometry g;
    const ResizeSpan *rows, *columns;  ///< h and w of them.
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      const ResizeGeometry& g = args.g;
      for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
        int64_t image = i;
        const int64_t c = popAxis(image, g.byC), ix = popAxis(image, g.byW), iy = popAxis(image, g.byH);
        const ResizeSpan down = args.rows[iy], across = args.columns[ix];
        const T* plane = args.dy + image * g.oh * g.ow * g.c + c;
        float sum = 0;
        for (int64_t oy = down.begin; oy < down.end; ++oy) {
          const ResizeTap v = g.rows[oy];
          for (int64_t ox = across.begin; ox < across.end; ++ox) {
            const ResizeTap u = g.columns[ox];
            const float d = load(plane[(oy * g.ow + ox) * g.c]);
            const float weights[2][2] = {{(1 - v.t) * (1 - u.t), (1 - v.t) * u.t}, {v.t * (1 - u.t), v.t * u.t}};
            for (int k = 0; k < 2; ++k) {
              for (int l = 0; l < 2; ++l) {
                // A weight of 0 takes no part: d may be infinite.
                if ((k == 0 ? v.low : v.high) == iy && (l == 0 ? u.low : u.high) == ix && weights[k][l] != 0) {
                  sum += d * weights[k][l];
                }
              }
            }
          }
        }
        store(args.dx + i, sum);
      }
    });
  }
};

#define FOVEA_RESIZE_KERNELS(X) \
  X(Resize<float>)              \
  X(Resize<BFloat16>)           \
  X(Resize<Float16>)            \
  X(ResizeBackward<float>)      \
  X(ResizeBackward<BFloat16>)   \
  X(ResizeBackward<Float16>)

}  // namespace fovea::cuda
