#include "cpu/winograd_tiles.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "native/testing.h"

/** @file The rows of Winograd's products: every tile in one, and those that take an element one after the other. */
namespace fovea::test {
namespace {

using cpu::winograd::elementsOf;
using cpu::winograd::Form;
using cpu::winograd::Line;
using cpu::winograd::lineOf;
using cpu::winograd::takes;
using cpu::winograd::TileBlock;
using cpu::winograd::TileBlocks;

constexpr Form kForms[] = {Form::kThreeTiny, Form::kThree, Form::kThreeLarge, Form::kFive,
                           Form::kFiveLarge, Form::kStrided, Form::kTransposed};

Test coverAll() {
  return {"winograd tiles cover each output once", [] {
            for (const Form form : kForms) {
              for (const auto& [height, width] : std::vector<std::pair<int64_t, int64_t>>{
                       {1, 1}, {2, 9}, {7, 7}, {13, 14}, {16, 12}, {6, 3}, {18, 5}}) {
                for (const int64_t most : {1, 5, 12, 1000}) {
                  constexpr int64_t kImages = 3;
                  const TileBlocks blocks(form, kImages, {height, width, 8}, most);
                  std::vector<int> covered(static_cast<size_t>(kImages * height * width));
                  for (int64_t b = 0; b < blocks.count(); ++b) {
                    for (int64_t i = 0; i < blocks[b].size; ++i) {
                      const auto& tile = blocks[b][i];
                      for (int64_t y = tile.top; y < std::min(tile.top + lineOf(form).tile, height); ++y) {
                        for (int64_t x = tile.left; x < std::min(tile.left + lineOf(form).tile, width); ++x) {
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
            for (const Form form : kForms) {
              for (int64_t height = 1; height <= 9; ++height) {
                for (int64_t width = 1; width <= 9; ++width) {
                  for (const int64_t most : {1, 3, 7, 100}) {
                    const TileBlocks blocks(form, 4, {height, width, 8}, most);
                    for (int64_t b = 0; b < blocks.count(); ++b) {
                      const TileBlock block = blocks[b];
                      for (int64_t e = 0; e < elementsOf(form); ++e) {
                        const auto [begin, count] = block.rows(e);
                        check(begin >= 0 && count >= 0 && begin + count <= block.size, "rows outside the block");
                        for (int64_t i = 0; i < block.size; ++i) {
                          const auto& points = block[i].points;
                          const Line line = lineOf(form);
                          const bool has = takes(line, points.down, e / line.elements) &&
                                           takes(line, points.across, e % line.elements);
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
            struct Planes {
              Form form;
              int64_t size, products;
            };
            // The square of size + 2 * tiles along, 2 * size + tiles along for strides, and so on.
            for (const auto& [form, size, products] : std::vector<Planes>{{Form::kThree, 4, 36},
                                                                          {Form::kThree, 7, 121},
                                                                          {Form::kThree, 13, 441},
                                                                          {Form::kThree, 14, 484},
                                                                          {Form::kThree, 16, 576},
                                                                          {Form::kThreeLarge, 6, 64},
                                                                          {Form::kThreeLarge, 7, 121},
                                                                          {Form::kThreeLarge, 13, 19 * 19},
                                                                          {Form::kThreeLarge, 14, 400},
                                                                          {Form::kFive, 13, 41 * 41},
                                                                          {Form::kFiveLarge, 13, 29 * 29},
                                                                          {Form::kStrided, 4, 81},
                                                                          {Form::kStrided, 7, 16 * 16},
                                                                          {Form::kStrided, 14, 32 * 32},
                                                                          {Form::kTransposed, 8, 81},
                                                                          {Form::kTransposed, 13, 16 * 16},
                                                                          {Form::kTransposed, 14, 16 * 16}}) {
              const TileBlocks blocks(form, 1, {size, size, 8}, 1000);
              int64_t sum = 0;
              for (int64_t e = 0; e < elementsOf(form); ++e) sum += blocks[0].rows(e).count;
              check(sum == products, std::to_string(size) + ": " + std::to_string(sum) + " products");
            }
          }};
}

}  // namespace

std::vector<Test> winogradTileTests() { return {coverAll(), rowsOfElements(), productsOfPlanes()}; }

}  // namespace fovea::test
