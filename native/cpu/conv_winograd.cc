#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "cpu/conv.h"
#include "cpu/gemm_tile.h"
#include "cpu/narrow.h"
#include "cpu/packed.h"
#include "cpu/parallel.h"
#include "cpu/parts.h"
#include "cpu/plane.h"
#include "cpu/simd.h"
#include "cpu/winograd.h"
#include "cpu/winograd_tiles.h"

/**
 * @file
 * 3x3 and 5x5 convolutions of stride 1 by Winograd's F(4x4, 3x3) and F(2x2, 5x5) straight on NHWC and HWIO, all three
 * directions. Forward and by input, a thread takes a block of tiles through transform, products and inverse transform
 * while they are in its cache; where tiles are few and the kernel large, all threads take the same tiles and divide the
 * elements, so that it is read once. By kernel, blocks of tiles are transformed by all threads and multiplied element
 * by element, so the sums have the same order on any number of threads. Nothing is reordered: the channels stay the
 * fast axis throughout. Images of bfloat16 are widened as they are transformed, and rounded as results are stored.
 */
namespace fovea::cpu {
namespace {

using winograd::imageTransforms;
using winograd::kElements;
using winograd::kernelTransforms;
using winograd::Tile;
using winograd::TileBlock;
using winograd::TileBlocks;

constexpr int64_t kMostTiles = 84;         ///< Of a large block, forward and by input.
constexpr int64_t kTileStep = 12;          ///< Of smaller blocks: rows that the product's tiles divide.
constexpr int64_t kMostKernelTiles = 128;  ///< Of a block, by kernel: a panel of them fills a third of the L1 cache.
constexpr int64_t kLanes = winograd::kBlock;

int64_t roundUp(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

const char* nameOf(const Conv& v) { return v.kh == 5 ? "own:winograd2x5" : "own:winograd4x3"; }

/** The forward product, or the one by input, which is the forward one of dy with the kernel turned around. */
struct Product {
  Conv conv;
  bool backward;
  Plane from, to;     ///< Read and written planes.
  int64_t top, left;  ///< Padding of the read one.
  bool together;      ///< All threads take the same tiles, and divide the elements: few tiles and a large kernel.
  int64_t block;      ///< Tiles a thread takes at once.
  int64_t panels, ldv, ldm, strideU, strideV, strideM;
};

/** Bytes of the second level of cache of a core. */
int64_t cacheBytes() {
  static const int64_t bytes = [] {
    const long known = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return known > 0 ? static_cast<int64_t>(known) : int64_t{1} << 20;
  }();
  return bytes;
}

/** Tiles of a block: a large one reads the transformed kernel seldom, a cached one stays in the core's own cache. */
int64_t mostTiles(const Conv& v, WinogradBlock block) {
  if (block == WinogradBlock::kLarge) return kMostTiles;
  const int64_t tileBytes = kElements * static_cast<int64_t>(sizeof(float)) * (v.c + v.o);
  return std::max(cacheBytes() / tileBytes / kTileStep, int64_t{1}) * kTileStep;
}

Product product(const Conv& v, int64_t mostTiles) {
  Product p;
  p.conv = v;
  p.backward = v.kind == ConvKind::kBackwardInput;
  p.from = p.backward ? Plane{v.oh, v.ow, v.o} : Plane{v.h, v.w, v.c};
  p.to = p.backward ? Plane{v.h, v.w, v.c} : Plane{v.oh, v.ow, v.o};
  p.top = p.backward ? v.kh - 1 - v.top : v.top;
  p.left = p.backward ? v.kw - 1 - v.left : v.left;
  const int64_t tiles = winograd::countTiles(v.kh, v.n, p.to), share = ceilDivide(tiles, maxThreads());
  // The transformed kernel is larger than the tiles and products: to read it once is what counts.
  p.together = tiles * (v.c + v.o) < v.c * v.o;
  p.block = p.together ? tiles : ceilDivide(share, ceilDivide(share, mostTiles));
  p.panels = (p.to.channels + kPanel - 1) / kPanel;
  // Odd numbers of cache lines keep rows and elements off each other's cache sets.
  p.ldv = roundUp(p.from.channels, kLanes) + kLanes;
  p.ldm = p.panels * kPanel + kLanes;
  p.strideU = p.panels * p.from.channels * kPanel;
  p.strideV = p.block * p.ldv + kLanes;
  p.strideM = p.block * p.ldm + kLanes;
  return p;
}

/** Rows k of panel `panel` of the transformed kernel, [element][panel][k][kPanel]: 16 values of k from `first` on. */
void transformKernel(const Product& p, const float* w, float* u, int64_t panel, int64_t first) {
  const int taps = static_cast<int>(p.conv.kh);
  const int64_t c = p.conv.c, o = p.conv.o, kEnd = std::min(first + kLanes, p.from.channels);
  for (int64_t half = 0; half < kPanel; half += kLanes) {
    const int64_t column = panel * kPanel + half, count = std::min(kLanes, p.to.channels - column);
    float* to = u + (panel * p.from.channels + first) * kPanel + half;
    if (count <= 0) {
      for (int64_t e = 0; e < kElements; ++e) {
        for (int64_t k = 0; k < kEnd - first; ++k) std::memset(to + e * p.strideU + k * kPanel, 0, 64);
      }
      continue;
    }
    if (!p.backward) {
      for (int64_t k = first; k < kEnd; ++k) {
        kernelTransforms().kernel(taps, w + k * o + column, c * o, count, to + (k - first) * kPanel, p.strideU, false);
      }
      continue;
    }
    // By input the panel's columns are input channels, which lie apart in HWIO: 16x16 blocks are turned first.
    float turned[25][kLanes][kLanes];
    for (int64_t position = 0; position < taps * taps; ++position) {
      for (int64_t j = 0; j < count; ++j) {
        const float* row = w + (position * c + column + j) * o + first;
        for (int64_t k = 0; k < kEnd - first; ++k) turned[position][k][j] = row[k];
      }
    }
    for (int64_t k = 0; k < kEnd - first; ++k) {
      kernelTransforms().kernel(taps, &turned[0][k][0], kLanes * kLanes, count, to + k * kPanel, p.strideU, true);
    }
  }
}

/** One launch: what it reads and writes, and a block of tiles with its transforms. */
template <class T>
struct Run {
  const Product& p;
  const T* x;
  const float* u;
  const winograd::Finish<T>& finish;
  T* y;
  TileBlock tiles;
  float *v, *m;

  void transformInput(int64_t i) const {
    const Tile& tile = tiles[i];
    imageTransforms<T>().input(x + tile.image * p.from.size(), p.from, tile.top - p.top, tile.left - p.left,
                               tile.points, v + i * p.ldv, p.strideV);
  }
  /** Products with panel i of the transformed kernel, [element][panel]. */
  void multiply(int64_t i) const {
    const int64_t e = i / p.panels, panel = i % p.panels;
    const TileBlock::Rows rows = tiles.rows(e);
    if (rows.count == 0) return;
    const float* right = u + e * p.strideU + panel * p.from.channels * kPanel;
    gemmPanel(v + e * p.strideV + rows.begin * p.ldv, p.ldv, 1, rows.count, right, p.from.channels,
              m + e * p.strideM + rows.begin * p.ldm + panel * kPanel, p.ldm, false, right + p.from.channels * kPanel);
  }
  void transformOutput(int64_t i) const {
    const Tile& tile = tiles[i];
    winograd::Finish<T> own = finish;
    if (own.residual != nullptr) own.residual += tile.image * p.to.size();
    imageTransforms<T>().output(static_cast<int>(p.conv.kh), m + i * p.ldm, p.strideM, y + tile.image * p.to.size(),
                                p.to, tile.top, tile.left, own);
  }
};

template <class T>
KernelPtr makeProduct(const Product& p) {
  const Conv& conv = p.conv;
  Layout layout;
  const size_t uBytes = sizeof(float) * kElements * p.strideU, u = layout.take(uBytes);
  const auto packed = std::make_shared<Packed>(conv.steady, uBytes);
  const size_t vBytes = align64(sizeof(float) * kElements * p.strideV);
  const size_t mBytes = align64(sizeof(float) * kElements * p.strideM);
  const size_t v = layout.take((vBytes + mBytes) * (p.together ? 1 : maxThreads()));
  const TileBlocks blocks(conv.kh, conv.n, p.to, p.block);
  return makeKernel(
      [=](const Pointers& pointers) {
        const T* x = in<T>(pointers, 0);
        const auto* w = in<float>(pointers, 1);
        winograd::Finish<T> finish;
        if (p.conv.bias) finish.bias = in<float>(pointers, 2);
        if (p.conv.residual) finish.residual = in<T>(pointers, p.conv.residualInput());
        finish.relu = p.conv.relu;
        T* y = out<T>(pointers, 0);
        const int64_t groups = (p.from.channels + kLanes - 1) / kLanes;
        const auto* kernel =
            static_cast<float*>(packed->get(pointers, 1, at<float>(pointers.workspace, u), [&](void* to) {
              parallelFor(p.panels * groups, kElements * kPanel * kLanes, [&](int64_t i) {
                transformKernel(p, w, static_cast<float*>(to), i / groups, i % groups * kLanes);
              });
            }));
        float* first = at<float>(pointers.workspace, v);
        Run<T> run{p, x, kernel, finish, y, {}, first, first + vBytes / sizeof(float)};
        if (p.together) {
          run.tiles = blocks[0];
          const int64_t tiles = run.tiles.size;
          parallelFor(tiles, kElements * p.from.channels, [&](int64_t i) { run.transformInput(i); });
          parallelFor(kElements * p.panels, tiles * p.from.channels * kPanel, [&](int64_t i) { run.multiply(i); });
          parallelFor(tiles, kElements * p.to.channels, [&](int64_t i) { run.transformOutput(i); });
          return;
        }
        parallelRanges(blocks.count(), p.block * p.from.channels * p.to.channels,
                       [&](int64_t begin, int64_t end, int thread) {
                         Run<T> own = run;
                         const int64_t floats = static_cast<int64_t>((vBytes + mBytes) / sizeof(float)) * thread;
                         own.v += floats, own.m += floats;
                         for (int64_t b = begin; b < end; ++b) {
                           own.tiles = blocks[b];
                           for (int64_t i = 0; i < own.tiles.size; ++i) own.transformInput(i);
                           for (int64_t i = 0; i < kElements * p.panels; ++i) own.multiply(i);
                           for (int64_t i = 0; i < own.tiles.size; ++i) own.transformOutput(i);
                         }
                       });
      },
      layout.bytes(), nameOf(conv));
}

template <class T>
KernelPtr makeKernelGradient(const Conv& c) {
  const Plane from{c.h, c.w, c.c}, to{c.oh, c.ow, c.o};
  const int taps = static_cast<int>(c.kh);
  const int64_t tiles = winograd::countTiles(taps, c.n, to), panels = (c.o + kPanel - 1) / kPanel;
  const int64_t block = ceilDivide(tiles, ceilDivide(tiles, kMostKernelTiles));
  const TileBlocks blocks(taps, c.n, to, block);
  const int64_t ldv = roundUp(c.c, kLanes) + kLanes, strideV = block * ldv + kLanes;
  const int64_t panelM = block * kPanel, strideM = panels * panelM + kLanes;
  const int64_t ldu = panels * kPanel, strideU = c.c * ldu + kLanes;
  Layout layout;
  const size_t vAt = layout.take(sizeof(float) * kElements * strideV);
  const size_t mAt = layout.take(sizeof(float) * kElements * strideM);
  const size_t uAt = layout.take(sizeof(float) * kElements * strideU);
  const size_t biasAt = layout.take(c.bias ? biasScratch(c.o) : 0);
  return makeKernel(
      [=](const Pointers& pointers) {
        const T *x = in<T>(pointers, 0), *dy = in<T>(pointers, 1);
        float *v = at<float>(pointers.workspace, vAt), *m = at<float>(pointers.workspace, mAt);
        float *u = at<float>(pointers.workspace, uAt), *dw = out<float>(pointers, 0);
        for (int64_t b = 0; b < blocks.count(); ++b) {
          const TileBlock block = blocks[b];
          parallelFor(block.size, kElements * (c.c + c.o), [&](int64_t i) {
            const Tile& tile = block[i];
            imageTransforms<T>().input(x + tile.image * from.size(), from, tile.top - c.top, tile.left - c.left,
                                       tile.points, v + i * ldv, strideV);
            imageTransforms<T>().outputTransposed(taps, dy + tile.image * to.size(), to, tile.top, tile.left,
                                                  m + i * kPanel, strideM, panelM);
          });
          parallelFor(kElements * panels, block.size * c.c * kPanel, [&](int64_t i) {
            const int64_t e = i / panels, panel = i % panels;
            const TileBlock::Rows rows = block.rows(e);  // Where there are none, the first block gives zeros.
            gemmPanel(v + e * strideV + rows.begin * ldv, 1, ldv, c.c,
                      m + e * strideM + panel * panelM + rows.begin * kPanel, rows.count,
                      u + e * strideU + panel * kPanel, ldu, b > 0);
          });
        }
        parallelFor(c.c, kElements * c.o, [&](int64_t i) {
          for (int64_t j = 0; j < c.o; j += kLanes) {
            kernelTransforms().kernelTransposed(taps, u + i * ldu + j, strideU, std::min(kLanes, c.o - j),
                                                dw + i * c.o + j, c.c * c.o);
          }
        });
        if (c.bias) {
          sumBias(dy, c.n * c.oh * c.ow, c.o, out<float>(pointers, 1), at<char>(pointers.workspace, biasAt));
        }
      },
      layout.bytes(), nameOf(c));
}

}  // namespace

KernelPtr makeWinogradConv(const Conv& v, WinogradBlock block) {
  const bool fits =
      (v.kh == 3 || v.kh == 5) && v.kw == v.kh && v.sh == 1 && v.sw == 1 && v.dh == 1 && v.dw == 1 && v.groups == 1;
  if (!fits || simd() == Simd::kNone) return nullptr;
  if (v.kind == ConvKind::kBackwardKernel && block != WinogradBlock::kLarge) return nullptr;
  if (v.kind == ConvKind::kBackwardInput && (v.top >= v.kh || v.left >= v.kw)) return nullptr;
  return withFloatType(v.type, [&](auto* type) -> KernelPtr {
    using T = std::remove_pointer_t<decltype(type)>;
    if (v.kind == ConvKind::kBackwardKernel) return makeKernelGradient<T>(v);
    const int64_t tiles = mostTiles(v, block);
    const Product p = product(v, tiles);
    // The same, or hardly another.
    if (block == WinogradBlock::kCached && (p.together || tiles >= kMostTiles)) return nullptr;
    return makeProduct<T>(p);
  });
}

}  // namespace fovea::cpu
