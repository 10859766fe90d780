#include "cpu/indirect_plan.h"

#include <algorithm>
#include <cstring>

#include "cpu/indirect_tile.h"
#include "cpu/parallel.h"
#include "cpu/parts.h"

namespace fovea::cpu {
namespace {

constexpr int64_t kPanelBytes = 24 << 10;  ///< Of a chunk: most of the smallest first level of cache.
constexpr int64_t kFewChannels = 16;       ///< Below, whole rows of the kernel are read.
constexpr int64_t kPackedRows = 16;        ///< Rows of a panel that are packed at once.
constexpr int64_t kPageFloats = 1024;      ///< Addresses that differ by pages share the same lines of the first cache.
constexpr int64_t kLineFloats = 16;

IndirectPhase forwardPhase(const Conv& v, bool lines) {
  IndirectPhase phase{0, 0, v.oh, v.ow, {}};
  for (int64_t ky = 0; ky < v.kh; ++ky) {
    for (int64_t kx = 0; kx < (lines ? 1 : v.kw); ++kx) {
      phase.taps.push_back({ky * v.dh - v.top, kx * v.dw - v.left, ky * v.kw + kx});
    }
  }
  return phase;
}

/** The positions of one axis that phase `remainder` writes: iy with (iy + padding) % stride == remainder. */
struct Axis {
  int64_t first, count;
};
Axis axisOf(int64_t remainder, int64_t padding, int64_t stride, int64_t size) {
  const int64_t first = ((remainder - padding) % stride + stride) % stride;
  return {first, first < size ? ceilDivide(size - first, stride) : 0};
}

IndirectPhase inputPhase(const Conv& v, int64_t ry, int64_t rx) {
  const Axis down = axisOf(ry, v.top, v.sh, v.h), across = axisOf(rx, v.left, v.sw, v.w);
  IndirectPhase phase{down.first, across.first, down.count, across.count, {}};
  for (int64_t ky = 0; ky < v.kh; ++ky) {
    if (ky * v.dh % v.sh != ry) continue;
    for (int64_t kx = 0; kx < v.kw; ++kx) {
      if (kx * v.dw % v.sw != rx) continue;
      // Exact: both sides have the same remainder.
      phase.taps.push_back(
          {(down.first + v.top - ky * v.dh) / v.sh, (across.first + v.left - kx * v.dw) / v.sw, ky * v.kw + kx});
    }
  }
  return phase;
}

/** Chunks of nearly equal size, of whole taps where several fit. */
void addChunks(IndirectPlan& p, size_t phase) {
  const int64_t most = kPanelBytes / (tileShape().columns * static_cast<int64_t>(sizeof(float)));
  const auto taps = static_cast<int64_t>(p.phases[phase].taps.size());
  const auto add = [&](IndirectChunk c) {
    c.phase = phase;
    c.at = p.packedFloats;
    p.packedFloats += p.conv.groups * p.panels * c.taps * c.depth * tileShape().columns;
    p.chunks.push_back(c);
  };
  if (p.depth > most) {
    const Parts parts(p.depth, most);
    for (int64_t t = 0; t < taps; ++t) {
      for (int64_t i = 0; i < parts.parts; ++i) add({phase, t, 1, parts.begin(i), parts.size(i), 0});
    }
  } else if (taps > 0) {
    const Parts parts(taps, most / p.depth);
    for (int64_t i = 0; i < parts.parts; ++i) add({phase, parts.begin(i), parts.size(i), 0, p.depth, 0});
  }
}

/** A panel of `columns` rows of w, each of depth values, transposed. */
void packTransposed(const float* w, int64_t o, int64_t depth, int64_t columns, float* to) {
  const int64_t width = tileShape().columns;
  for (int64_t first = 0; first < depth; first += kPackedRows) {
    const int64_t end = std::min(first + kPackedRows, depth);
    for (int64_t j = 0; j < columns; ++j) {
      for (int64_t k = first; k < end; ++k) to[k * width + j] = w[j * o + k];
    }
    for (int64_t k = first; k < end; ++k) std::memset(to + k * width + columns, 0, (width - columns) * sizeof(float));
  }
}

/** Lines of the copy that rows first..last of an image read. */
struct Lines {
  int64_t top, count;
};
Lines linesOf(const IndirectPlan& p, int64_t firstRow, int64_t lastRow) {
  const Conv& v = p.conv;
  return {firstRow * v.sh - v.top, (lastRow - firstRow) * v.sh + (v.kh - 1) * v.dh + 1};
}

void copyLines(const IndirectPlan& p, const float* image, const Lines& lines, float* to) {
  const Conv& v = p.conv;
  const int64_t before = std::min(v.left * v.c, p.lineFloats);
  const int64_t inside = std::min(v.w * v.c, p.lineFloats - before), after = p.lineFloats - before - inside;
  for (int64_t l = 0; l < lines.count; ++l, to += p.lineFloats) {
    const int64_t y = lines.top + l;
    if (y < 0 || y >= v.h) {
      std::memset(to, 0, p.lineFloats * sizeof(float));
      continue;
    }
    std::memset(to, 0, before * sizeof(float));
    std::memcpy(to + before, image + y * v.w * v.c, inside * sizeof(float));
    std::memset(to + before + inside, 0, after * sizeof(float));
  }
}

}  // namespace

int64_t IndirectPlan::copyFloats() const { return ceilDivide(from.channels, kLineFloats) * kLineFloats + kLineFloats; }

int64_t IndirectPlan::lineScratch(int64_t count) const {
  if (copies) return count * copyFloats();
  if (!lines) return 0;
  const int64_t most = std::min(ceilDivide(count, conv.ow) + 1, conv.oh);  // lines of output that the rows touch
  return linesOf(*this, 0, most - 1).count * lineFloats;
}

IndirectPlan indirectPlan(const Conv& v) {
  IndirectPlan p;
  p.conv = v;
  const bool backward = v.kind == ConvKind::kBackwardInput;
  const Plane x{v.h, v.w, v.c}, y{v.oh, v.ow, v.o};
  p.from = backward ? y : x;
  p.to = backward ? x : y;
  p.stepY = backward ? v.sh : 1, p.stepX = backward ? v.sw : 1;
  p.readY = backward ? 1 : v.sh, p.readX = backward ? 1 : v.sw;
  p.lines = !backward && v.groups == 1 && v.dw == 1 && v.kw > 1 && v.c < kFewChannels;
  p.lineFloats = ((v.ow - 1) * v.sw + v.kw) * v.c;
  p.depth = p.lines ? v.kw * v.c : backward ? v.og() : v.cg();
  p.width = backward ? v.cg() : v.og();
  p.panels = ceilDivide(p.width, tileShape().columns);
  p.packedFloats = 0;
  if (backward) {
    for (int64_t ry = 0; ry < v.sh; ++ry) {
      for (int64_t rx = 0; rx < v.sw; ++rx) p.phases.push_back(inputPhase(v, ry, rx));
    }
  } else {
    p.phases.push_back(forwardPhase(v, p.lines));
  }
  // With several taps a pixel would be copied several times.
  p.copies = !p.lines && v.kh * v.kw == 1 && p.readX * p.from.channels % kPageFloats == 0;
  for (size_t i = 0; i < p.phases.size(); ++i) addChunks(p, i);
  const bool lines = p.to.channels % kLineFloats == 0 && p.width % kLineFloats == 0;
  p.streams = v.streams && lines && tileShape().columns % kLineFloats == 0 && p.chunks.size() == 1;
  return p;
}

void packWeights(const IndirectPlan& p, const float* w, float* to) {
  const Conv& v = p.conv;
  const bool backward = v.kind == ConvKind::kBackwardInput;
  const int64_t width = tileShape().columns;
  // Forward, a piece is a few rows of all panels; by input it is all rows of one.
  const int64_t pieces = backward ? p.panels : ceilDivide(p.depth, kPackedRows);
  parallelFor(static_cast<int64_t>(p.chunks.size()) * v.groups * pieces, p.depth * width, [&](int64_t i) {
    const IndirectChunk& c = p.chunks[i / pieces / v.groups];
    const int64_t group = i / pieces % v.groups, piece = i % pieces, panelFloats = c.taps * c.depth * width;
    float* panels = to + c.at + group * p.panels * panelFloats;
    for (int64_t t = 0; t < c.taps; ++t) {
      const float* tap = w + p.phases[c.phase].taps[c.tap + t].weight * v.cg() * v.o + group * v.og();
      if (backward) {
        packTransposed(tap + piece * width * v.o + c.first, v.o, c.depth, std::min(width, p.width - piece * width),
                       panels + piece * panelFloats + t * c.depth * width);
      } else if (piece * kPackedRows < c.depth) {
        const int64_t first = piece * kPackedRows;
        packColumns(tap + (c.first + first) * v.o, v.o, std::min(kPackedRows, c.depth - first), p.width,
                    panels + (t * c.depth + first) * width, panelFloats);
      }
    }
  });
}

void gather(const IndirectPlan& p, const IndirectPhase& phase, const float* x, int64_t run, int64_t first,
            int64_t count, const float* zeros, float* scratch, const float** table, int64_t* to) {
  const int64_t plane = phase.down * phase.across;
  int64_t image = run + first / plane, i = first % plane / phase.across, j = first % phase.across;
  const Lines lines = p.lines ? linesOf(p, i, (first + count - 1) / phase.across) : Lines{0, 0};
  if (p.lines) copyLines(p, x + image * p.from.size(), lines, scratch);
  for (int64_t r = 0; r < count; ++r) {
    to[r] = image * p.to.size() + ((phase.top + i * p.stepY) * p.to.width + phase.left + j * p.stepX) * p.to.channels;
    const float* at = x + image * p.from.size();
    for (size_t t = 0; t < phase.taps.size(); ++t) {
      const int64_t y = i * p.readY + phase.taps[t].y, column = j * p.readX + phase.taps[t].x;
      const float*& entry = table[static_cast<int64_t>(t) * count + r];
      if (p.lines) {
        entry = scratch + (y - lines.top) * p.lineFloats + j * p.readX * p.from.channels;
      } else if (y < 0 || y >= p.from.height || column < 0 || column >= p.from.width) {
        entry = zeros;
      } else {
        entry = at + (y * p.from.width + column) * p.from.channels;
        if (p.copies) {
          float* copy = scratch + r * p.copyFloats();
          std::memcpy(copy, entry, p.from.channels * sizeof(float));
          entry = copy;
        }
      }
    }
    if (++j == phase.across) {
      j = 0;
      if (++i == phase.down) i = 0, ++image;
    }
  }
}

}  // namespace fovea::cpu
