#pragma once

#include <cstdint>

#include "cuda/kernels/convert.h"
#include "cuda/kernels/divide.h"

/**
 * @file
 * A linear map along rows and along columns of NHWC images, with the weights it is told: every way of resizing, and its
 * transpose. Weights of 0 take no part, so what they would be multiplied with may be anything.
 */
namespace fovea::cuda {

/** One axis: result i is the sum over k < taps of weights[i * taps + k] * source[starts[i] + k]. */
struct ResizeAxis {
  const int64_t* starts;
  const float* weights;
  int64_t taps;
};

template <class T>
struct Resize {
  struct Args {
    const T* x;
    T* y;
    int64_t n;  ///< Elements of y.
    int64_t h, w, c;
    Divisor byC, byOw, byOh;
    ResizeAxis rows, columns;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      const ResizeAxis &rows = args.rows, &columns = args.columns;
      const int64_t width = args.w * args.c;
      for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
        int64_t image = i;
        const int64_t c = popAxis(image, args.byC), ox = popAxis(image, args.byOw), oy = popAxis(image, args.byOh);
        const T* corner = args.x + (image * args.h + rows.starts[oy]) * width + columns.starts[ox] * args.c + c;
        const float *down = rows.weights + oy * rows.taps, *across = columns.weights + ox * columns.taps;
        float sum = 0;
        for (int64_t l = 0; l < columns.taps; ++l) {
          if (across[l] == 0) continue;
          float column = 0;
          for (int64_t k = 0; k < rows.taps; ++k) {
            if (down[k] != 0) column += down[k] * load(corner[k * width + l * args.c]);
          }
          sum += across[l] * column;
        }
        store(args.y + i, sum);
      }
    });
  }
};

#define FOVEA_RESIZE_KERNELS(X) \
  X(Resize<float>)              \
  X(Resize<BFloat16>)           \
  X(Resize<Float16>)

}  // namespace fovea::cuda
