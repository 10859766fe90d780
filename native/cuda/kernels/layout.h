#pragma once

#include <cstdint>
#include <type_traits>

#include "cuda/kernels/convert.h"
#include "cuda/kernels/divide.h"

/**
 * @file
 * Kernels that move elements. Those that keep the bits work on words of 1, 2, 4 or 16 bytes, whatever the dtype: the
 * widest that divides all extents, strides and addresses.
 */
namespace fovea::cuda {

inline constexpr int kBoxAxes = 16;

/** Sixteen bytes. */
using Word16 = Pack<uint32_t>;

/** Copies a box: word i of it lies at x + fromOffset + sum(index . from) and goes to y + toOffset + sum(index . to). */
template <class Word>
struct CopyBox {
  struct Args {
    const Word* x;
    Word* y;
    int64_t n;
    int rank;  ///< At least 1; outermost axis first.
    Divisor dims[kBoxAxes];
    int64_t from[kBoxAxes], to[kBoxAxes];
    int64_t fromOffset, toOffset;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
        int64_t rest = i, a = args.fromOffset, b = args.toOffset;
        for (int d = args.rank - 1; d > 0; --d) {
          const int64_t k = popAxis(rest, args.dims[d]);
          a += k * args.from[d];
          b += k * args.to[d];
        }
        args.y[b + rest * args.to[0]] = args.x[a + rest * args.from[0]];
      }
    });
  }
};

/** Every word of y: that of x where the box lies, `value` around it. */
template <class Word>
struct PadBox {
  struct Args {
    const Word* x;
    Word* y;
    int64_t n;  ///< Words of y.
    int rank;
    Divisor dims[kBoxAxes];                   ///< Of y.
    int64_t begin[kBoxAxes], size[kBoxAxes];  ///< Of the box, within y.
    int64_t strides[kBoxAxes];                ///< Of x.
    Word value;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
        int64_t rest = i, a = 0;
        bool inside = true;
        for (int d = args.rank - 1; d >= 0; --d) {
          const int64_t k = (d > 0 ? popAxis(rest, args.dims[d]) : rest) - args.begin[d];
          inside = inside && k >= 0 && k < args.size[d];
          a += k * args.strides[d];
        }
        args.y[i] = inside ? args.x[a] : args.value;
      }
    });
  }
};

inline constexpr int kTile = 32;          ///< Transposition goes by tiles of 32x32,
inline constexpr int kTileThreads = 256;  ///< each moved by 256 threads.
inline constexpr int kTilePitch = kTile + 1;

/**
 * y[i][j] = x[j][i] on planes: x is contiguous along i ("rows"), y along j ("columns"). Both sides move whole lines of
 * a tile through shared memory. With two floating-point types it converts.
 */
template <class From, class To>
struct TransposeTiles {
  struct Args {
    const From* x;
    To* y;
    int64_t rows, columns;
    int64_t xStride, yStride;  ///< From one column to the next in x, from one row to the next in y.
    int rank;                  ///< Outer axes.
    int64_t dims[kBoxAxes], from[kBoxAxes], to[kBoxAxes];
    int64_t rowTiles, columnTiles, planes;
  };
  static constexpr size_t kSharedBytes = sizeof(To) * kTile * kTilePitch;

  static FOVEA_HD To moved(From v) {
    if constexpr (std::is_same_v<From, To>) {
      return v;
    } else {
      To to;
      store(&to, load(v));
      return to;
    }
  }

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    To* tile = block.template shared<To>();
    const int64_t perPlane = args.rowTiles * args.columnTiles;
    for (int64_t task = block.index(); task < args.planes * perPlane; task += block.count()) {
      int64_t plane = task / perPlane;
      const int64_t inPlane = task - plane * perPlane, rowTile = inPlane / args.columnTiles;
      const int64_t row = rowTile * kTile, column = (inPlane - rowTile * args.columnTiles) * kTile;
      int64_t a = 0, b = 0;
      for (int d = args.rank - 1; d >= 0; --d) {
        const int64_t k = plane % args.dims[d];
        plane /= args.dims[d];
        a += k * args.from[d];
        b += k * args.to[d];
      }
      block.each([&](int thread) {
        const int i = thread % kTile;
        for (int j = thread / kTile; j < kTile; j += kTileThreads / kTile) {
          if (row + i < args.rows && column + j < args.columns) {
            tile[j * kTilePitch + i] = moved(args.x[a + (column + j) * args.xStride + row + i]);
          }
        }
      });
      block.each([&](int thread) {
        const int j = thread % kTile;
        for (int i = thread / kTile; i < kTile; i += kTileThreads / kTile) {
          if (row + i < args.rows && column + j < args.columns) {
            args.y[b + (row + i) * args.yStride + column + j] = tile[j * kTilePitch + i];
          }
        }
      });
    }
  }
};

/** y = x, converted. */
template <class From, class To>
struct ConvertElements {
  struct Args {
    const From* x;
    To* y;
    int64_t n;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const bool fours = takesFours(args.x, args.y);
    block.each([&](int thread) {
      for (int64_t i = 4 * block.first(thread); i < args.n; i += 4 * block.stride()) {
        if (fours && i + 4 <= args.n) {
          float v[4];
          loadFour(args.x + i, v);
          storeFour(args.y + i, v);
          continue;
        }
        for (int64_t k = i; k < i + 4 && k < args.n; ++k) store(args.y + k, load(args.x[k]));
      }
    });
  }
};

#define FOVEA_LAYOUT_KERNELS(X)         \
  X(CopyBox<uint8_t>)                   \
  X(CopyBox<uint16_t>)                  \
  X(CopyBox<uint32_t>)                  \
  X(CopyBox<Word16>)                    \
  X(PadBox<uint8_t>)                    \
  X(PadBox<uint16_t>)                   \
  X(PadBox<uint32_t>)                   \
  X(PadBox<Word16>)                     \
  X(TransposeTiles<uint8_t, uint8_t>)   \
  X(TransposeTiles<uint16_t, uint16_t>) \
  X(TransposeTiles<uint32_t, uint32_t>) \
  X(TransposeTiles<float, BFloat16>)    \
  X(TransposeTiles<float, Float16>)     \
  X(TransposeTiles<BFloat16, float>)    \
  X(TransposeTiles<Float16, float>)     \
  X(ConvertElements<float, BFloat16>)   \
  X(ConvertElements<float, Float16>)    \
  X(ConvertElements<BFloat16, float>)   \
  X(ConvertElements<Float16, float>)

}  // namespace fovea::cuda
