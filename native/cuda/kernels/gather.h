#pragma once

#include <cstdint>

#include "cuda/kernels/convert.h"
#include "cuda/kernels/divide.h"
#include "cuda/kernels/fault.h"

/** @file Kernels that read indices: gather, scatterAdd, oneHot. */
namespace fovea::cuda {

/** x [outer, axis, row], indices [count] -> y [outer, count, row]; rows in words of 1, 2, 4 or 16 bytes. */
template <class Word>
struct Gather {
  struct Args {
    const Word* x;
    const int32_t* indices;
    Word* y;
    int64_t n;  ///< Words of y.
    int64_t axis, row;
    Divisor byRow, byCount;
    FaultWord* fault;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
        int64_t outer = i;
        const int64_t w = popAxis(outer, args.byRow), k = popAxis(outer, args.byCount);
        const int32_t index = args.indices[k];
        if (index < 0 || index >= args.axis) {
          reportFault(block, args.fault, k, index);
          args.y[i] = Word{};
          continue;
        }
        args.y[i] = args.x[(outer * args.axis + index) * args.row + w];
      }
    });
  }
};

/**
 * dx [outer, axis, inner] = zeros plus the rows of dy [outer, count, inner]. A block owns a range of the axis and some
 * columns (of outer times inner), and walks through all indices: sums keep the order of the indices.
 */
template <class T>
struct ScatterAdd {
  struct Args {
    const int32_t* indices;
    const T* dy;
    float* dx;
    int64_t columns, axis, inner, count;
    int64_t ranges, rangeSize;
    Divisor byInner;
    FaultWord* fault;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const int64_t tiles = (args.columns + block.threads() - 1) / block.threads();
    for (int64_t task = block.index(); task < tiles * args.ranges; task += block.count()) {
      const int64_t range = task / tiles, tile = task - range * tiles, begin = range * args.rangeSize;
      const int64_t end = begin + args.rangeSize < args.axis ? begin + args.rangeSize : args.axis;
      block.each([&](int thread) {
        const int64_t column = tile * block.threads() + thread;
        if (column >= args.columns) return;
        int64_t outer = column;
        const int64_t j = popAxis(outer, args.byInner);
        float* dx = args.dx + outer * args.axis * args.inner + j;
        const T* dy = args.dy + outer * args.count * args.inner + j;
        for (int64_t a = begin; a < end; ++a) dx[a * args.inner] = 0;
        for (int64_t k = 0; k < args.count; ++k) {
          const int32_t a = args.indices[k];
          if (a >= begin && a < end) {
            dx[a * args.inner] += load(dy[k * args.inner]);
          } else if (column == 0 && range == 0 && (a < 0 || a >= args.axis)) {
            reportFault(block, args.fault, k, a);
          }
        }
      });
    }
  }
};

/** y [count, depth]: `one` where the index points, else 0. */
template <class Word>
struct OneHot {
  struct Args {
    const int32_t* indices;
    Word* y;
    int64_t n;  ///< Elements of y.
    Divisor byDepth;
    Word one;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
        int64_t row = i;
        const int64_t k = popAxis(row, args.byDepth);
        args.y[i] = args.indices[row] == k ? args.one : Word{0};
      }
    });
  }
};

#define FOVEA_GATHER_KERNELS(X) \
  X(Gather<uint8_t>)            \
  X(Gather<uint16_t>)           \
  X(Gather<uint32_t>)           \
  X(Gather<Pack<uint32_t>>)     \
  X(ScatterAdd<float>)          \
  X(ScatterAdd<BFloat16>)       \
  X(ScatterAdd<Float16>)        \
  X(OneHot<uint8_t>)            \
  X(OneHot<uint16_t>)           \
  X(OneHot<uint32_t>)

}  // namespace fovea::cuda
