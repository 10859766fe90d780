#include "cpu/page_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "native/testing.h"

/** @file The pool of huge pages in which tensors lie side by side. */
namespace fovea::test {
namespace {

using cpu::kHugePage;
using cpu::kPage;
using cpu::PagePool;

struct Block {
  uint8_t* data;
  size_t bytes;
  uint8_t value;

  bool intact() const {
    return std::all_of(data, data + bytes, [&](uint8_t v) { return v == value; });
  }
};

Block take(PagePool& pool, size_t bytes, uint8_t value) {
  const Block block{static_cast<uint8_t*>(pool.allocate(bytes)), bytes, value};
  check(block.data != nullptr, "no memory");
  check(reinterpret_cast<uintptr_t>(block.data) % kPage == 0, "not on a boundary of pages");
  std::memset(block.data, value, bytes);
  return block;
}

uintptr_t pageOf(const void* p) { return reinterpret_cast<uintptr_t>(p) / kHugePage; }

size_t mappedBytes(const std::vector<Block>& blocks) {
  size_t bytes = 0;
  for (const Block& block : blocks) {
    std::vector<unsigned char> mapped((block.bytes + kPage - 1) / kPage);
    check(mincore(block.data, block.bytes, mapped.data()) == 0, "mincore failed");
    bytes += kPage * static_cast<size_t>(std::count_if(mapped.begin(), mapped.end(), [](int m) { return m & 1; }));
  }
  return bytes;
}

}  // namespace

std::vector<Test> pagePoolTests() {
  return {
      {"page pool: small blocks share a huge page, and what is freed between them is given out again",
       [] {
         PagePool pool;
         const Block a = take(pool, 600'000, 1), b = take(pool, 700'000, 2), c = take(pool, 500'000, 3);
         check(pageOf(a.data) == pageOf(c.data + c.bytes - 1));
         pool.free(b.data, b.bytes);
         const Block d = take(pool, 690'000, 4);
         check(d.data == b.data);
         check(a.intact() && c.intact() && d.intact());
       }},
      {"page pool: blocks that were freed in any order are one again",
       [] {
         PagePool pool;
         std::vector<Block> blocks;
         for (uint8_t i = 0; i < 8; ++i) blocks.push_back(take(pool, size_t{2} << 20, i));
         for (const size_t i : {6, 1, 3, 0, 7, 2, 5, 4}) pool.free(blocks[i].data, blocks[i].bytes);
         check(take(pool, PagePool::kLargestBlock, 9).data == blocks[0].data);
       }},
      {"page pool: pages in which nothing is used are given back, but for a few",
       [] {
         PagePool pool;
         std::vector<Block> blocks;
         for (uint8_t i = 0; i < 20; ++i) blocks.push_back(take(pool, 3'000'001, i));
         check(mappedBytes(blocks) >= 60'000'000);
         for (const Block& block : blocks) pool.free(block.data, block.bytes);
         const size_t kept = mappedBytes(blocks);
         check(kept <= PagePool::kKept, std::to_string(kept));
         check(kept >= PagePool::kKept / 2, std::to_string(kept));
       }},
      {"page pool: a page with a used block stays as it is when its neighbours go",
       [] {
         PagePool pool;
         std::vector<Block> blocks, ends;
         for (uint8_t i = 0; i < 40; ++i) {
           ends.push_back(take(pool, 100'000, i));
           blocks.push_back(take(pool, 2 * kHugePage, 0xff));
         }
         for (const Block& block : blocks) pool.free(block.data, block.bytes);
         check(std::all_of(ends.begin(), ends.end(), [](const Block& b) { return b.intact(); }));
         check(mappedBytes(blocks) < 40 * 2 * kHugePage / 2 + PagePool::kKept);
       }},
      {"page pool: what is more than a block is refused",
       [] {
         PagePool pool;
         check(pool.allocate(PagePool::kLargestBlock + 1) == nullptr);
         check(pool.allocate(SIZE_MAX) == nullptr);
         check(pool.allocate(0) != nullptr);
       }},
      {"page pool: no block takes what is another's, in any order",
       [] {
         PagePool pool;
         std::mt19937 random(3);
         std::vector<Block> blocks;
         for (int step = 0; step < 600; ++step) {
           if (blocks.empty() || (random() % 5 < 3 && blocks.size() < 40)) {
             const size_t bytes = 1 + random() % (random() % 8 == 0 ? size_t{5} << 20 : 300'000);
             blocks.push_back(take(pool, bytes, static_cast<uint8_t>(step)));
           } else {
             std::swap(blocks[random() % blocks.size()], blocks.back());
             check(blocks.back().intact(), "step " + std::to_string(step));
             pool.free(blocks.back().data, blocks.back().bytes);
             blocks.pop_back();
           }
         }
         check(std::all_of(blocks.begin(), blocks.end(), [](const Block& b) { return b.intact(); }));
       }},
  };
}

}  // namespace fovea::test
