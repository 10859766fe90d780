#include "cpu/winograd_tiles.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "native/testing.h"

/** @file The rows of Winograd's products: every tile in one, and those that take an element one after the other. */
namespace fovea::test {
namespace {

using cpu::winograd::kElements;
using cpu::winograd::kInput;
using cpu::winograd::takes;
using cpu::winograd::TileBlock;
using cpu::winograd::TileBlocks;
using cpu::winograd::tileFor;

Test coverAll() {
  return {"winograd tiles cover each output once", [] {
            for (const int64_t taps : {3, 5}) {
              for (const auto& [height, width] : std::vector<std::pair<int64_t, int64_t>>{
                       {1, 1}, {2, 9}, {7, 7}, {13, 14}, {16, 12}, {6, 3}, {18, 5}}) {
                for (const int64_t most : {1, 5, 12, 1000}) {
                  constexpr int64_t kImages = 3;
                  const TileBlocks blocks(taps, kImages, {height, width, 8}, most);
                  std::vector<int> covered(static_cast<size_t>(kImages * height * width));
                  for (int64_t b = 0; b < blocks.count(); ++b) {
                    for (int64_t i = 0; i < blocks[b].size; ++i) {
                      const auto& tile = blocks[b][i];
                      for (int64_t y = tile.top; y < std::min(tile.top + tileFor(taps), height); ++y) {
                        for (int64_t x = tile.left; x < std::min(tile.left + tileFor(taps), width); ++x) {
                          ++covered[static_cast<size_t>((tile.image * height + y) * width + x)];
                        }
                      }
                    }
                  }
                  for (const int times : covered) check(times == 1, "an output is in " + std::to_string(times));
                }
              }
            }
          }};
}

Test rowsOfElements() {
  return {"winograd tiles that take an element lie one after the other", [] {
            for (const int64_t taps : {3, 5}) {
              for (int64_t height = 1; height <= 9; ++height) {
                for (int64_t width = 1; width <= 9; ++width) {
                  for (const int64_t most : {1, 3, 7, 100}) {
                    const TileBlocks blocks(taps, 4, {height, width, 8}, most);
                    for (int64_t b = 0; b < blocks.count(); ++b) {
                      const TileBlock block = blocks[b];
                      for (int64_t e = 0; e < kElements; ++e) {
                        const auto [begin, count] = block.rows(e);
                        check(begin >= 0 && count >= 0 && begin + count <= block.size, "rows outside the block");
                        for (int64_t i = 0; i < block.size; ++i) {
                          const auto& points = block[i].points;
                          const bool has = takes(points.down, e / kInput) && takes(points.across, e % kInput);
                          check(has == (i >= begin && i < begin + count),
                                "element " + std::to_string(e) + ", tile " + std::to_string(i) + " of " +
                                    std::to_string(height) + "x" + std::to_string(width));
                        }
                      }
                    }
                  }
                }
              }
            }
          }};
}

Test productsOfPlanes() {
  return {"winograd takes no products for outputs beyond the edge", [] {
            // (height + 2 * tiles down) * (width + 2 * tiles across), for 3x3.
            for (const auto& [size, products] :
                 std::vector<std::pair<int64_t, int64_t>>{{4, 36}, {7, 121}, {13, 441}, {14, 484}, {16, 576}}) {
              const TileBlocks blocks(3, 1, {size, size, 8}, 1000);
              int64_t sum = 0;
              for (int64_t e = 0; e < kElements; ++e) sum += blocks[0].rows(e).count;
              check(sum == products, std::to_string(size) + ": " + std::to_string(sum) + " products");
            }
          }};
}

}  // namespace

std::vector<Test> winogradTileTests() { return {coverAll(), rowsOfElements(), productsOfPlanes()}; }

}  // namespace fovea::test
