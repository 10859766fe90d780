#include "cpu/winograd_tiles.h"

#include <algorithm>

namespace fovea::cpu::winograd {
namespace {

int64_t tilesAlong(Form form, int64_t outputs) {
  const int64_t tile = lineOf(form).tile;
  return (outputs + tile - 1) / tile;
}

/** The classes of TileBlock, in its order. */
size_t classOf(Form form, const Points& points) {
  const int all = lineOf(form).points;
  const bool lower = points.down < all, right = points.across < all;
  return lower ? (right ? 3 : 0) : (right ? 2 : 1);
}

}  // namespace

int64_t countTiles(Form form, int64_t images, const Plane& outputs) {
  return images * tilesAlong(form, outputs.height) * tilesAlong(form, outputs.width);
}

TileBlock::Rows TileBlock::rows(int64_t e) const {
  const Line line = lineOf(form);
  const bool lower = takes(line, last.down, e / line.elements), atRight = takes(line, last.across, e % line.elements);
  const int64_t begin = lower ? 0 : inside, end = !atRight ? right : lower ? size : corner;
  return {begin, end - begin};
}

TileBlocks::TileBlocks(Form form, int64_t images, const Plane& outputs, int64_t most)
    : form_(form), most_(most), tiles_(static_cast<size_t>(countTiles(form, images, outputs))) {
  const int64_t down = tilesAlong(form, outputs.height), across = tilesAlong(form, outputs.width);
  const auto tileAt = [&](int64_t i) {
    const int64_t top = i / across % down * lineOf(form).tile, left = i % across * lineOf(form).tile;
    return Tile{i / (down * across), top, left, pointsOf(form, outputs, top, left)};
  };
  const auto all = static_cast<int64_t>(tiles_.size());
  if (all > 0) last_ = tileAt(all - 1).points;
  for (int64_t first = 0; first < all; first += most) {
    const int64_t end = std::min(first + most, all);
    std::array<int64_t, 4>& classes = classes_.emplace_back();
    for (int64_t i = first; i < end; ++i) ++classes[classOf(form, tileAt(i).points)];
    std::array<int64_t, 4> at{first, first + classes[0], first + classes[0] + classes[1], end - classes[3]};
    for (int64_t i = first; i < end; ++i) {
      const Tile tile = tileAt(i);
      tiles_[static_cast<size_t>(at[classOf(form, tile.points)]++)] = tile;
    }
  }
}

TileBlock TileBlocks::operator[](int64_t i) const {
  const std::array<int64_t, 4>& classes = classes_[static_cast<size_t>(i)];
  const int64_t inside = classes[0], right = inside + classes[1], corner = right + classes[2];
  return {form_, tiles_.data() + i * most_, corner + classes[3], inside, right, corner, last_};
}

}  // namespace fovea::cpu::winograd
