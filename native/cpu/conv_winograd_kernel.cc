#include <algorithm>

#include "cpu/conv_winograd.h"
#include "cpu/gemm_tile.h"
#include "cpu/parallel.h"
#include "cpu/parts.h"

/**
 * @file
 * The gradient by the kernel of Winograd's convolutions. Blocks of tiles are transformed by all threads and multiplied
 * element by element, so the sums have the same order on any number of threads; conv_shares.cc can give every thread
 * blocks and sums of its own instead.
 */
namespace fovea::cpu::winograd {
namespace {

constexpr int64_t kMostTiles = 128;  ///< Of a block: a panel of them fills a third of the L1 cache.
constexpr int64_t kLeastTiles = 48;  ///< With fewer, sums are read and written too often.

}  // namespace

template <class T>
KernelPtr makeKernelGradient(const Conv& c, Form form, WinogradBlock size) {
  const Plane from{c.h, c.w, c.c}, to{c.oh, c.ow, c.o};
  const int64_t elements = elementsOf(form), kernelElements = kernelElementsOf(form);
  const int64_t tiles = countTiles(form, c.n, to);
  const int64_t panels = (c.o + kPanel - 1) / kPanel;
  const int64_t most =
      size == WinogradBlock::kLarge ? kMostTiles : std::clamp(cachedTiles(c, form), kLeastTiles, kMostTiles);
  const int64_t block = ceilDivide(tiles, ceilDivide(tiles, most));
  const TileBlocks blocks(form, c.n, to, block);
  const int64_t ldv = roundUp(c.c, kBlock) + kBlock, strideV = block * ldv + kBlock;
  const int64_t panelM = block * kPanel, strideM = panels * panelM + kBlock;
  const int64_t ldu = panels * kPanel, strideU = c.c * ldu + kBlock;
  Layout layout;
  const size_t vAt = layout.take(sizeof(float) * elements * strideV);
  const size_t mAt = layout.take(sizeof(float) * elements * strideM);
  const size_t uAt = layout.take(sizeof(float) * kernelElements * strideU);
  const size_t biasAt = layout.take(c.bias ? biasScratch(c.o) : 0);
  return makeKernel(
      [=](const Pointers& pointers) {
        const auto& images = imageTransforms<T>(form);
        const T *x = in<T>(pointers, 0), *dy = in<T>(pointers, 1);
        float *v = at<float>(pointers.workspace, vAt), *m = at<float>(pointers.workspace, mAt);
        float *u = at<float>(pointers.workspace, uAt), *dw = out<float>(pointers, 0);
        for (int64_t b = 0; b < blocks.count(); ++b) {
          const TileBlock block = blocks[b], next = b + 1 < blocks.count() ? blocks[b + 1] : TileBlock{};
          parallelFor(block.size, elements * (c.c + c.o), [&](int64_t i) {
            const Tile& tile = block[i];
            images.input(x + tile.image * from.size(), from, inputAt(form, tile.top) - c.top,
                         inputAt(form, tile.left) - c.left, tile.points, {}, v + i * ldv, strideV);
            images.outputTransposed(dy + tile.image * to.size(), to, tile.top, tile.left, m + i * kPanel, strideM,
                                    panelM);
          });
          parallelFor(kernelElements * panels, block.size * c.c * kPanel, [&](int64_t i) {
            const int64_t k = i / panels, panel = i % panels, parts = kernelElements * panels;
            fetchTiles(next, i, parts, [&](const Tile& t) {
              fetchInputs(form, x, from, t, c.top, c.left);
              fetchOutputs(form, dy, to, t);
            });
            bool more = b > 0;
            forElements(form, k, [&](int64_t e) {
              const TileBlock::Rows rows = block.rows(e);  // Where there are none, the first block gives zeros.
              gemmPanel(v + e * strideV + rows.begin * ldv, 1, ldv, c.c,
                        m + e * strideM + panel * panelM + rows.begin * kPanel, rows.count,
                        u + k * strideU + panel * kPanel, ldu, more);
              more = true;
            });
          });
        }
        parallelFor(c.c, kernelElements * c.o, [&](int64_t i) {
          for (int64_t j = 0; j < c.o; j += kBlock) {
            kernelTransforms(form).kernelTransposed(u + i * ldu + j, strideU, std::min(kBlock, c.o - j),
                                                    dw + i * c.o + j, c.c * c.o);
          }
        });
        if (c.bias) {
          sumBias(dy, c.n * c.oh * c.ow, c.o, out<float>(pointers, 1), at<char>(pointers.workspace, biasAt));
        }
      },
      layout.bytes(), nameOf(form));
}

template KernelPtr makeKernelGradient<float>(const Conv&, Form, WinogradBlock);
template KernelPtr makeKernelGradient<BFloat16>(const Conv&, Form, WinogradBlock);

}  // namespace fovea::cpu::winograd
