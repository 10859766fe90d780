#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "cpu/conv_winograd.h"
#include "cpu/gemm_tile.h"
#include "cpu/narrow.h"
#include "cpu/packed.h"
#include "cpu/parallel.h"
#include "cpu/parts.h"
#include "cpu/simd.h"

/**
 * @file
 * 3x3 and 5x5 convolutions of stride 1 and 3x3 of stride 2 by Winograd's transforms (winograd.h) straight on NHWC and
 * HWIO, in all three directions; conv_winograd_kernel.cc has the gradient by the kernel. Forward and by input, a thread
 * takes a block of tiles through transform, products and inverse transform while they are in its cache; where tiles are
 * few and the kernel large, all threads take the same tiles and divide the elements, so that it is read once. Nothing
 * is reordered: the channels stay the fast axis throughout. Images of bfloat16 are widened as they are transformed, and
 * rounded as results are stored.
 */
namespace fovea::cpu {
namespace {

using winograd::Form;
using winograd::formOf;
using winograd::imageTransforms;
using winograd::kernelElementsOf;
using winograd::KernelTransforms;
using winograd::kernelTransforms;
using winograd::OddFirst;
using winograd::roundUp;
using winograd::Tile;
using winograd::TileBlock;
using winograd::TileBlocks;

constexpr int64_t kMostTiles = 84;              ///< Of a large block.
constexpr int64_t kMostKernelBytes = 48 << 20;  ///< Transformed for large tiles: more costs memory and gains little.
constexpr int64_t kTileStep = 12;               ///< Of smaller blocks: rows that the product's tiles divide.
/** Of those at least where panels of the kernel leave little of the first level of cache: more rows share each. */
constexpr int64_t kLeastTiles = 36, kPanelBytes = 16 << 10;
constexpr int64_t kLanes = winograd::kBlock;

/** The forward product, or the one by input, which is the forward one of dy with the kernel turned around. */
struct Product {
  Conv conv;
  Form form;
  bool backward;
  Plane from, to;     ///< Read and written planes.
  int64_t top, left;  ///< Padding of the read one.
  OddFirst odd;
  int64_t elements, kernelElements;  ///< Of a transformed tile and kernel.
  bool together;  ///< All threads take the same tiles, and divide the elements: few tiles and a large kernel.
  int64_t block;  ///< Tiles a thread takes at once.
  int64_t panels, ldv, ldm, strideU, strideV, strideM;
};

/**
 * Where dx[i] reads dy: i + padding = 2 j is even output j, w[0] dy[j] + w[2] dy[j - 1], and one more the odd output
 * w[1] dy[j]. An even one first reads from dy[j - 1] on, an odd one from dy[j].
 */
int64_t paddingOfTransposed(int64_t padding) { return padding == 0 ? 1 : 0; }

Product product(const Conv& v, Form form, int64_t mostTiles) {
  Product p;
  p.conv = v;
  p.backward = v.kind == ConvKind::kBackwardInput;
  p.from = p.backward ? Plane{v.oh, v.ow, v.o} : Plane{v.h, v.w, v.c};
  p.to = p.backward ? Plane{v.h, v.w, v.c} : Plane{v.oh, v.ow, v.o};
  p.form = form;
  p.elements = winograd::elementsOf(form);
  p.kernelElements = kernelElementsOf(form);
  if (p.form == Form::kTransposed) {
    p.top = paddingOfTransposed(v.top);
    p.left = paddingOfTransposed(v.left);
    p.odd = {v.top % 2 == 1, v.left % 2 == 1};
  } else {
    p.top = p.backward ? v.kh - 1 - v.top : v.top;
    p.left = p.backward ? v.kw - 1 - v.left : v.left;
  }
  const int64_t tiles = winograd::countTiles(p.form, v.n, p.to), share = ceilDivide(tiles, maxThreads());
  // The transformed kernel is larger than the tiles and products: to read it once is what counts.
  p.together = p.elements * tiles * (v.c + v.o) < p.kernelElements * v.c * v.o;
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
  const KernelTransforms& transforms = kernelTransforms(p.form);
  const int64_t c = p.conv.c, o = p.conv.o, positions = p.conv.kh * p.conv.kw,
                kEnd = std::min(first + kLanes, p.from.channels);
  for (int64_t half = 0; half < kPanel; half += kLanes) {
    const int64_t column = panel * kPanel + half, count = std::min(kLanes, p.to.channels - column);
    float* to = u + (panel * p.from.channels + first) * kPanel + half;
    if (count <= 0) {
      for (int64_t e = 0; e < p.kernelElements; ++e) {
        for (int64_t k = 0; k < kEnd - first; ++k) std::memset(to + e * p.strideU + k * kPanel, 0, 64);
      }
      continue;
    }
    if (!p.backward) {
      for (int64_t k = first; k < kEnd; ++k) {
        transforms.kernel(w + k * o + column, c * o, count, to + (k - first) * kPanel, p.strideU, false);
      }
      continue;
    }
    // By input the panel's columns are input channels, which lie apart in HWIO: 16x16 blocks are turned first.
    float turned[25][kLanes][kLanes];
    for (int64_t position = 0; position < positions; ++position) {
      for (int64_t j = 0; j < count; ++j) {
        const float* row = w + (position * c + column + j) * o + first;
        for (int64_t k = 0; k < kEnd - first; ++k) turned[position][k][j] = row[k];
      }
    }
    for (int64_t k = 0; k < kEnd - first; ++k) {
      transforms.kernel(&turned[0][k][0], kLanes * kLanes, count, to + k * kPanel, p.strideU, true);
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
    imageTransforms<T>(p.form).input(
        x + tile.image * p.from.size(), p.from, winograd::inputAt(p.form, tile.top) - p.top,
        winograd::inputAt(p.form, tile.left) - p.left, tile.points, p.odd, v + i * p.ldv, p.strideV);
  }
  /** Products with panel i of the transformed kernel, [element][panel]. */
  void multiply(int64_t i) const {
    const int64_t k = i / p.panels, panel = i % p.panels;
    const float* right = u + k * p.strideU + panel * p.from.channels * kPanel;
    forElements(p.form, k, [&](int64_t e) {
      const TileBlock::Rows rows = tiles.rows(e);
      if (rows.count == 0) return;
      gemmPanel(v + e * p.strideV + rows.begin * p.ldv, p.ldv, 1, rows.count, right, p.from.channels,
                m + e * p.strideM + rows.begin * p.ldm + panel * kPanel, p.ldm, false,
                right + p.from.channels * kPanel);
    });
  }
  void transformOutput(int64_t i) const {
    const Tile& tile = tiles[i];
    winograd::Finish<T> own = finish;
    if (own.residual != nullptr) own.residual += tile.image * p.to.size();
    imageTransforms<T>(p.form).output(m + i * p.ldm, p.strideM, y + tile.image * p.to.size(), p.to, tile.top, tile.left,
                                      p.odd, own);
  }
  /** The block from inputs to outputs, on this thread; `next` is the one after it. */
  void all(const TileBlock& next) const {
    const int64_t products = p.kernelElements * p.panels;
    for (int64_t i = 0; i < tiles.size; ++i) transformInput(i);
    for (int64_t i = 0; i < products; ++i) {
      winograd::fetchTiles(tiles, i, products, [&](const Tile& t) { winograd::fetchOutputs(p.form, y, p.to, t); });
      winograd::fetchTiles(next, i, products,
                           [&](const Tile& t) { winograd::fetchInputs(p.form, x, p.from, t, p.top, p.left); });
      multiply(i);
    }
    for (int64_t i = 0; i < tiles.size; ++i) transformOutput(i);
  }
};

/** Tiles of a block for WinogradBlock::kCached. */
int64_t cachedBlock(const Conv& v, Form form) {
  const int64_t channels = v.kind == ConvKind::kBackwardInput ? v.o : v.c;
  const bool tall = channels * kPanel * static_cast<int64_t>(sizeof(float)) > kPanelBytes;
  return std::max(winograd::cachedTiles(v, form) / kTileStep * kTileStep, tall ? kLeastTiles : kTileStep);
}

template <class T>
KernelPtr makeProduct(const Product& p) {
  const Conv& conv = p.conv;
  Layout layout;
  const size_t uBytes = sizeof(float) * p.kernelElements * p.strideU, u = layout.take(uBytes);
  const auto packed = std::make_shared<Packed>(conv.steady, uBytes);
  const size_t vBytes = align64(sizeof(float) * p.elements * p.strideV);
  const size_t mBytes = align64(sizeof(float) * p.elements * p.strideM);
  const size_t v = layout.take((vBytes + mBytes) * (p.together ? 1 : maxThreads()));
  const TileBlocks blocks(p.form, conv.n, p.to, p.block);
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
              parallelFor(p.panels * groups, p.kernelElements * kPanel * kLanes, [&](int64_t i) {
                transformKernel(p, w, static_cast<float*>(to), i / groups, i % groups * kLanes);
              });
            }));
        float* first = at<float>(pointers.workspace, v);
        Run<T> run{p, x, kernel, finish, y, {}, first, first + vBytes / sizeof(float)};
        if (p.together) {
          run.tiles = blocks[0];
          const int64_t tiles = run.tiles.size;
          parallelFor(tiles, p.elements * p.from.channels, [&](int64_t i) { run.transformInput(i); });
          parallelFor(p.kernelElements * p.panels, tiles * p.from.channels * kPanel,
                      [&](int64_t i) { run.multiply(i); });
          parallelFor(tiles, p.elements * p.to.channels, [&](int64_t i) { run.transformOutput(i); });
          return;
        }
        parallelRanges(blocks.count(), p.block * p.from.channels * p.to.channels,
                       [&](int64_t begin, int64_t end, int thread) {
                         Run<T> own = run;
                         const int64_t floats = static_cast<int64_t>((vBytes + mBytes) / sizeof(float)) * thread;
                         own.v += floats, own.m += floats;
                         for (int64_t b = begin; b < end; ++b) {
                           own.tiles = blocks[b];
                           own.all(b + 1 < end ? blocks[b + 1] : TileBlock{});
                         }
                       });
      },
      layout.bytes(), winograd::nameOf(p.form));
}

}  // namespace

int64_t winograd::cachedTiles(const Conv& v, Form form) {
  static const int64_t cacheBytes = [] {
    const long known = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return known > 0 ? static_cast<int64_t>(known) : int64_t{1} << 20;
  }();
  return cacheBytes / (elementsOf(form) * static_cast<int64_t>(sizeof(float)) * (v.c + v.o));
}

bool winogradSharesFit(const Conv& v, int64_t threads, WinogradTile tile) {
  return kernelElementsOf(formOf(v, tile)) * v.c * v.o * threads < v.n * (v.h * v.w * v.c + v.oh * v.ow * v.o);
}

KernelPtr makeWinogradConv(const Conv& v, WinogradBlock block, WinogradTile tile) {
  const bool strided = v.kh == 3 && v.sh == 2 && tile == WinogradTile::kSmall;
  const bool sizeFits = strided || ((v.kh == 3 || (v.kh == 5 && tile != WinogradTile::kTiny)) && v.sh == 1);
  const bool fits = sizeFits && v.kw == v.kh && v.sw == v.sh && v.dh == 1 && v.dw == 1 && v.groups == 1;
  if (!fits || simd() == Simd::kNone) return nullptr;
  if (v.kind == ConvKind::kBackwardInput && (v.top >= v.kh || v.left >= v.kw)) return nullptr;
  const Form form = formOf(v, tile);
  const int64_t kernelBytes = kernelElementsOf(form) * v.c * v.o * static_cast<int64_t>(sizeof(float));
  if (tile == WinogradTile::kLarge && kernelBytes > kMostKernelBytes) return nullptr;
  return withFloatType(v.type, [&](auto* type) -> KernelPtr {
    using T = std::remove_pointer_t<decltype(type)>;
    if (v.kind == ConvKind::kBackwardKernel) {
      if (block == WinogradBlock::kCached && !winogradSharesFit(v, 1, tile)) return nullptr;
      return winograd::makeKernelGradient<T>(v, form, block);
    }
    const int64_t tiles = block == WinogradBlock::kLarge ? kMostTiles : cachedBlock(v, form);
    const Product p = product(v, form, tiles);
    // The same, or hardly another.
    if (block == WinogradBlock::kCached && (p.together || tiles >= kMostTiles)) return nullptr;
    return makeProduct<T>(p);
  });
}

}  // namespace fovea::cpu
