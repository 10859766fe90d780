#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "cpu/conv.h"
#include "cpu/indirect_plan.h"
#include "cpu/indirect_tile.h"
#include "cpu/packed.h"
#include "cpu/parallel.h"
#include "cpu/parts.h"
#include "cpu/simd.h"
#include "cpu/streaming.h"

/**
 * @file
 * Convolutions of any kernel, stride and dilation as products whose left rows stay where they lie in NHWC: pointers
 * take the place of im2col (Dukhan 2019). By input, the positions of one remainder modulo the stride are a convolution
 * of their own, so that nothing is multiplied by the zeros between them. By kernel, pixels are what is summed over, and
 * a block of them is packed for both sides; every thread sums its share of the images.
 */
namespace fovea::cpu {
namespace {

constexpr int64_t kMostRows = 72;      ///< Of a block: with a chunk of values they stay in the second level of cache.
constexpr int64_t kPixels = 256;       ///< Summed at once by kernel: a panel of them stays in the first level of cache.
constexpr int64_t kPackedPixels = 16;  ///< Packed at once: so many lines of the gradient are read side by side.
constexpr int64_t kFewBlocks = 4;      ///< A thread's blocks of rows below which threads divide the columns too.
constexpr int64_t kColumnParts = 4;    ///< Of a thread, where it divides them.
constexpr int64_t kLeastColumns = 8;   ///< Of a group: with fewer, most of a tile would be zeros.

/** How the threads share one phase: every block of rows of every run, each for one part of the panels. */
struct Share {
  Parts blocks, columns;
};

Share shareOf(const IndirectPlan& p, const IndirectPhase& phase) {
  const int64_t threads = maxThreads(), rows = p.rows(phase), runs = p.runs() * p.conv.groups;
  if (ceilDivide(rows, kMostRows) * runs < kFewBlocks * threads && p.panels >= threads) {
    return {Parts(rows, kMostRows), Parts(p.panels, ceilDivide(p.panels, kColumnParts * threads))};
  }
  return {Parts(rows, kMostRows, ceilDivide(threads, runs)), Parts(p.panels, p.panels)};
}

/** Where a thread keeps the pointers, places and copied lines of a block of rows. */
struct Scratch {
  size_t table, to, lines, bytes;
  Scratch(const IndirectPlan& p, int64_t rows) {
    size_t taps = 0;
    for (const IndirectPhase& phase : p.phases) taps = std::max(taps, phase.taps.size());
    Layout layout;
    table = layout.take(sizeof(float*) * taps * rows);
    to = layout.take(sizeof(int64_t) * rows);
    lines = layout.take(sizeof(float) * p.lineScratch(rows));
    bytes = layout.bytes();
  }
};

std::shared_ptr<float[]> zerosFor(const IndirectPlan& p) {
  return std::shared_ptr<float[]>(new float[p.lines ? 1 : p.from.channels]());
}

/** Positions of a phase that no tap reaches. */
void clearPhase(const IndirectPlan& p, const IndirectPhase& phase, float* y) {
  parallelFor(p.conv.n * phase.down, phase.across * p.to.channels, [&](int64_t line) {
    const int64_t row = (line / phase.down) * p.to.height + phase.top + line % phase.down * p.stepY;
    float* to = y + (row * p.to.width + phase.left) * p.to.channels;
    for (int64_t j = 0; j < phase.across; ++j, to += p.stepX * p.to.channels) {
      std::memset(to, 0, p.to.channels * sizeof(float));
    }
  });
}

/** What a launch reads and writes. */
struct Launch {
  const float *weights, *bias, *residual;
  float* y;
  bool streams;
};

/** A block of `count` gathered rows, for panels begin..end-1 of a group: chunk after chunk, so that it stays near. */
void runBlock(const IndirectPlan& p, size_t phase, const Launch& launch, const float* const* table, const int64_t* to,
              int64_t count, int64_t group, int64_t begin, int64_t end) {
  const int64_t width = tileShape().columns;
  const auto panelAt = [&](const IndirectChunk& c, int64_t panel) {
    return launch.weights + c.at + (group * p.panels + panel) * c.taps * c.depth * width;
  };
  IndirectProduct product;
  product.stride = product.count = count;
  product.y = launch.y, product.to = to;
  product.accumulate = false;
  product.streams = launch.streams;
  for (size_t i = 0; i < p.chunks.size(); ++i) {
    const IndirectChunk& c = p.chunks[i];
    if (c.phase != phase) continue;
    const bool last = i + 1 == p.chunks.size() || p.chunks[i + 1].phase != phase;
    product.rows = table + c.tap * count;
    product.taps = c.taps, product.depth = c.depth, product.offset = group * p.depth + c.first;
    product.bias = last ? launch.bias : nullptr, product.residual = last ? launch.residual : nullptr;
    product.relu = last && p.conv.relu;
    for (int64_t panel = begin; panel < end; ++panel) {
      product.panel = panelAt(c, panel);
      product.next = panel + 1 < end ? panelAt(c, panel + 1) : last ? product.panel : panelAt(p.chunks[i + 1], begin);
      product.column = group * p.width + panel * width;
      product.columns = std::min(width, p.width - panel * width);
      indirectProduct(product);
    }
    product.accumulate = true;
  }
}

KernelPtr makeProduct(const Conv& v) {
  const auto plan = std::make_shared<const IndirectPlan>(indirectPlan(v));
  std::vector<Share> shares;
  int64_t rows = 1;
  for (const IndirectPhase& phase : plan->phases) {
    shares.push_back(shareOf(*plan, phase));
    rows = std::max(rows, shares.back().blocks.largest());
  }
  Layout layout;
  const size_t weightBytes = sizeof(float) * plan->packedFloats, weightsAt = layout.take(weightBytes);
  const auto packed = std::make_shared<Packed>(v.steady, weightBytes);
  const Scratch scratch(*plan, rows);
  const size_t own = layout.take(scratch.bytes * maxThreads());
  const auto zeros = zerosFor(*plan);
  return makeKernel(
      [=](const Pointers& pointers) {
        const IndirectPlan& p = *plan;
        const auto *x = in<float>(pointers, 0), *w = in<float>(pointers, 1);
        Launch launch;
        launch.bias = v.bias ? in<float>(pointers, 2) : nullptr;
        launch.residual = v.residual ? in<float>(pointers, v.residualInput()) : nullptr;
        launch.y = out<float>(pointers, 0);
        launch.streams = p.streams && beginsLine(launch.y);
        launch.weights =
            static_cast<const float*>(packed->get(pointers, 1, at<float>(pointers.workspace, weightsAt),
                                                  [&](void* to) { packWeights(p, w, static_cast<float*>(to)); }));
        for (size_t f = 0; f < p.phases.size(); ++f) {
          const IndirectPhase& phase = p.phases[f];
          if (phase.down * phase.across == 0) continue;
          if (phase.taps.empty()) {
            clearPhase(p, phase, launch.y);
            continue;
          }
          const Parts &blocks = shares[f].blocks, &columns = shares[f].columns;
          // Ordered so that a thread's part of the panels goes through all of its rows.
          const int64_t perPart = blocks.parts * p.runs() * v.groups;
          const int64_t work =
              blocks.largest() * ceilDivide(p.width, columns.parts) * p.depth * static_cast<int64_t>(phase.taps.size());
          parallelRanges(columns.parts * perPart, work, [&](int64_t begin, int64_t end, int thread) {
            char* mine = at<char>(pointers.workspace, own + scratch.bytes * thread);
            const auto** table = at<const float*>(mine, scratch.table);
            auto* to = at<int64_t>(mine, scratch.to);
            int64_t gathered = -1;
            for (int64_t unit = begin; unit < end; ++unit) {
              const int64_t part = unit / perPart, group = unit % v.groups, block = unit % perPart / v.groups;
              const int64_t run = block / blocks.parts, i = block % blocks.parts;
              if (block != gathered) {
                gather(p, phase, x, run, blocks.begin(i), blocks.size(i), zeros.get(), at<float>(mine, scratch.lines),
                       table, to);
                gathered = block;
              }
              runBlock(p, f, launch, table, to, blocks.size(i), group, columns.begin(part), columns.begin(part + 1));
            }
            if (launch.streams) finishStreaming();
          });
        }
      },
      layout.bytes(), "own:indirect");
}

/** Rows of dw of one tap that are packed and multiplied at once. */
struct Strip {
  int64_t group, tap, first, count;
};

std::vector<Strip> stripsOf(const IndirectPlan& p) {
  std::vector<Strip> strips;
  const Parts parts(p.depth, kMostRows);
  for (int64_t g = 0; g < p.conv.groups; ++g) {
    for (int64_t t = 0; t < static_cast<int64_t>(p.phases[0].taps.size()); ++t) {
      for (int64_t i = 0; i < parts.parts; ++i) {
        strips.push_back({g, t, parts.begin(i), parts.size(i)});
      }
    }
  }
  return strips;
}

/** A block of pixels of dy as panels [groups][panels][pixels][columns]. */
void packGradient(const IndirectPlan& p, const float* dy, int64_t count, float* to) {
  const int64_t panelFloats = count * tileShape().columns;
  parallelFor(ceilDivide(count, kPackedPixels), kPackedPixels * p.conv.o, [&](int64_t i) {
    const int64_t first = i * kPackedPixels, rows = std::min(kPackedPixels, count - first);
    for (int64_t g = 0; g < p.conv.groups; ++g) {
      packColumns(dy + first * p.conv.o + g * p.width, p.conv.o, rows, p.width,
                  to + g * p.panels * panelFloats + first * tileShape().columns, panelFloats);
    }
  });
}

/** dw of one strip (+)= the sum over the pixels whose pointers `rows` are. */
void multiplyStrip(const IndirectPlan& p, const Strip& s, const float* const* rows, int64_t count, const float* panels,
                   float* left, float* dw, bool accumulate) {
  const int64_t width = tileShape().columns;
  const Parts tiles(s.count, tileShape().rows);
  const int64_t offset = s.group * p.depth + s.first;
  for (int64_t i = 0; i < tiles.parts; ++i) {
    packRows(rows, offset + tiles.begin(i), count, tiles.size(i), left + tiles.begin(i) * count);
  }
  float* to = dw + (s.tap * p.depth + s.first) * p.conv.o + s.group * p.width;
  for (int64_t panel = 0; panel < p.panels; ++panel) {
    const float* right = panels + (s.group * p.panels + panel) * count * width;
    const int64_t columns = std::min(width, p.width - panel * width);
    for (int64_t i = 0; i < tiles.parts; ++i) {
      tileProduct(left + tiles.begin(i) * count, tiles.size(i), right, count,
                  to + tiles.begin(i) * p.conv.o + panel * width, p.conv.o, columns, accumulate);
    }
  }
}

KernelPtr makeGradient(const Conv& v) {
  const auto plan = std::make_shared<const IndirectPlan>(indirectPlan(v));
  const auto strips = std::make_shared<const std::vector<Strip>>(stripsOf(*plan));
  const Parts blocks(plan->rows(plan->phases[0]), kPixels);
  const int64_t pixels = blocks.largest(), width = tileShape().columns;
  Layout layout;
  const Scratch scratch(*plan, pixels);
  const size_t gathered = layout.take(scratch.bytes);
  const size_t right = layout.take(sizeof(float) * v.groups * plan->panels * pixels * width);
  const size_t leftBytes = align64(sizeof(float) * kMostRows * pixels);
  const size_t left = layout.take(leftBytes * maxThreads());
  const size_t biasAt = layout.take(v.bias ? biasScratch(v.o) : 0);
  const auto zeros = zerosFor(*plan);
  return makeKernel(
      [=](const Pointers& pointers) {
        const IndirectPlan& p = *plan;
        const auto *x = in<float>(pointers, 0), *dy = in<float>(pointers, 1);
        auto* dw = out<float>(pointers, 0);
        char* own = at<char>(pointers.workspace, gathered);
        const auto** table = at<const float*>(own, scratch.table);
        const float* pixel = dy;
        for (int64_t block = 0; block < p.runs() * blocks.parts; ++block) {
          const int64_t first = blocks.begin(block % blocks.parts);
          const int64_t count = blocks.size(block % blocks.parts);
          gather(p, p.phases[0], x, block / blocks.parts, first, count, zeros.get(), at<float>(own, scratch.lines),
                 table, at<int64_t>(own, scratch.to));
          packGradient(p, pixel, count, at<float>(pointers.workspace, right));
          pixel += count * v.o;
          parallelRanges(static_cast<int64_t>(strips->size()), count * (*strips)[0].count * p.width,
                         [&](int64_t begin, int64_t end, int thread) {
                           for (int64_t i = begin; i < end; ++i) {
                             const Strip& s = (*strips)[i];
                             multiplyStrip(p, s, table + s.tap * count, count, at<float>(pointers.workspace, right),
                                           at<float>(pointers.workspace, left + leftBytes * thread), dw, block > 0);
                           }
                         });
        }
        if (v.bias) {
          sumBias(dy, v.n * v.oh * v.ow, v.o, out<float>(pointers, 1), at<char>(pointers.workspace, biasAt));
        }
      },
      layout.bytes(), "own:indirect");
}

}  // namespace

KernelPtr makeIndirectConv(const Conv& v) {
  if (simd() == Simd::kNone || v.og() < kLeastColumns || v.cg() * v.kh * v.kw < kLeastColumns) return nullptr;
  if (v.kind != ConvKind::kBackwardKernel) return makeProduct(v);
  return makeSharedGradient(v, makeGradient);
}

}  // namespace fovea::cpu
