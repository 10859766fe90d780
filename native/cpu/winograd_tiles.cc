#include "cpu/winograd_tiles.h"

#include <algorithm>

namespace fovea::cpu::winograd {
namespace {

int64_t tilesAlong(int64_t taps, int64_t outputs) { return (outputs + tileFor(taps) - 1) / tileFor(taps); }

bool atEdge(int points) { return points < kPoints; }

/** The classes of TileBlock, in its order. */
size_t classOf(const Points& points) {
  const bool lower = atEdge(points.down), right = atEdge(points.across);
  return lower ? (right ? 3 : 0) : (right ? 2 : 1);
}

}  // namespace

int64_t countTiles(int64_t taps, int64_t images, const Plane& outputs) {
  return images * tilesAlong(taps, outputs.height) * tilesAlong(taps, outputs.width);
}

TileBlock::Rows TileBlock::rows(int64_t e) const {
  const bool lower = takes(last.down, e / kInput), atRight = takes(last.across, e % kInput);
  const int64_t begin = lower ? 0 : inside, end = !atRight ? right : lower ? size : corner;
  return {begin, end - begin};
}

TileBlocks::TileBlocks(int64_t taps, int64_t images, const Plane& outputs, int64_t most)
    : most_(most), tiles_(static_cast<size_t>(countTiles(taps, images, outputs))) {
  const int64_t down = tilesAlong(taps, outputs.height), across = tilesAlong(taps, outputs.width);
  const auto tileAt = [&](int64_t i) {
    const int64_t top = i / across % down * tileFor(taps), left = i % across * tileFor(taps);
    return Tile{i / (down * across), top, left, pointsOf(taps, outputs, top, left)};
  };
  const auto all = static_cast<int64_t>(tiles_.size());
  if (all > 0) last_ = tileAt(all - 1).points;
  for (int64_t first = 0; first < all; first += most) {
    const int64_t end = std::min(first + most, all);
    std::array<int64_t, 4>& classes = classes_.emplace_back();
    for (int64_t i = first; i < end; ++i) ++classes[classOf(tileAt(i).points)];
    std::array<int64_t, 4> at{first, first + classes[0], first + classes[0] + classes[1], end - classes[3]};
    for (int64_t i = first; i < end; ++i) {
      const Tile tile = tileAt(i);
      tiles_[static_cast<size_t>(at[classOf(tile.points)]++)] = tile;
    }
  }
}

TileBlock TileBlocks::operator[](int64_t i) const {
  const std::array<int64_t, 4>& classes = classes_[static_cast<size_t>(i)];
  const int64_t inside = classes[0], right = inside + classes[1], corner = right + classes[2];
  return {tiles_.data() + i * most_, corner + classes[3], inside, right, corner, last_};
}

}  // namespace fovea::cpu::winograd
