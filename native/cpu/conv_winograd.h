#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/conv.h"
#include "cpu/plane.h"
#include "cpu/simd.h"
#include "cpu/winograd.h"
#include "cpu/winograd_tiles.h"

/** @file What Winograd's convolutions in all three directions share. */
namespace fovea::cpu::winograd {

inline Form formOf(const Conv& v, WinogradTile tile) {
  const bool large = tile == WinogradTile::kLarge;
  if (tile == WinogradTile::kTiny) return Form::kThreeTiny;
  if (v.kh == 5) return large ? Form::kFiveLarge : Form::kFive;
  if (v.sh == 1) return large ? Form::kThreeLarge : Form::kThree;
  return v.kind == ConvKind::kBackwardInput ? Form::kTransposed : Form::kStrided;
}

inline const char* nameOf(Form form) {
  switch (form) {
    case Form::kThree:
      return "own:winograd4x3";
    case Form::kThreeTiny:
      return "own:winograd2x3";
    case Form::kThreeLarge:
      return "own:winograd6x3";
    case Form::kFive:
      return "own:winograd2x5";
    case Form::kFiveLarge:
      return "own:winograd4x5";
    default:
      return "own:winograd4x3s2";
  }
}

/** Calls use(e) for the elements of a transformed tile that are multiplied with element k of the kernel. */
template <class Use>
void forElements(Form form, int64_t k, const Use& use) {
  const int64_t line = lineOf(form).elements, kernel = lineOf(form).kernel;
  const auto end = [&](int64_t of) { return of == kernel - 1 ? line : of + 1; };
  const int64_t down = k / kernel, across = k % kernel;
  for (int64_t i = down; i < end(down); ++i) {
    for (int64_t j = across; j < end(across); ++j) use(i * line + j);
  }
}

/** Tiles of a block that stay in the core's second level of cache when they are transformed, and their products. */
int64_t cachedTiles(const Conv& v, Form form);

constexpr int64_t roundUp(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// Products hardly need the memory, transforms of large planes do nothing but wait for it: so what is next is fetched
// between the products. All inline: the compiler drops calls of functions that do nothing else.

/** Brings a square of an image near, to the core's second-level cache; what is outside the plane is left out. */
template <class T>
FOVEA_INLINE void fetch(const T* image, const Plane& plane, int64_t top, int64_t left, int64_t size) {
  const int64_t rows = std::min(top + size, plane.height), columns = std::min(left + size, plane.width);
  left = std::max(left, int64_t{0});
  for (int64_t i = std::max(top, int64_t{0}); i < rows; ++i) {
    const T* row = image + i * plane.width * plane.channels;
    for (int64_t j = left * plane.channels; j < columns * plane.channels; j += 64 / sizeof(T)) {
      __builtin_prefetch(row + j, 0, 2);
    }
  }
}

template <class T>
FOVEA_INLINE void fetchOutputs(Form form, const T* y, const Plane& plane, const Tile& tile) {
  fetch(y + tile.image * plane.size(), plane, tile.top, tile.left, lineOf(form).tile);
}

/** The inputs of a tile but for those at its lower and right edge, which are its neighbours' too. */
template <class T>
FOVEA_INLINE void fetchInputs(Form form, const T* x, const Plane& plane, const Tile& tile, int64_t top, int64_t left) {
  fetch(x + tile.image * plane.size(), plane, inputAt(form, tile.top) - top, inputAt(form, tile.left) - left,
        inputAt(form, lineOf(form).tile));
}

/** Calls use(tile) for part i of `parts` of a block. */
template <class Use>
FOVEA_INLINE void fetchTiles(const TileBlock& block, int64_t i, int64_t parts, const Use& use) {
  for (int64_t t = block.size * i / parts; t < block.size * (i + 1) / parts; ++t) use(block[t]);
}

/** The gradient by the kernel; see makeWinogradConv. T is float or BFloat16. */
template <class T>
KernelPtr makeKernelGradient(const Conv& v, Form form, WinogradBlock block);

}  // namespace fovea::cpu::winograd
