#include "cuda/allocator.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/error.h"

namespace fovea::cuda {
namespace {

constexpr size_t kGranule = 512;
constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kMostSmall = kMiB;
constexpr size_t kSmallSegment = 2 * kMiB, kLargeSegment = 32 * kMiB;
constexpr size_t kOwnSegment = 16 * kMiB;
constexpr size_t kLeastLargeRest = kMiB;  ///< A smaller rest of a large block is not cut off.

size_t roundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

std::string mebibytes(size_t bytes) {
  char text[48];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / static_cast<double>(kMiB));
  return text;
}

}  // namespace

Allocator::~Allocator() {
  for (const auto& [address, segment] : segments_) source_.free(address);
}

Allocator::Pool& Allocator::poolOf(size_t bytes) { return bytes <= kMostSmall ? small_ : large_; }

void* Allocator::allocate(size_t bytes) {
  constexpr size_t kMost = size_t{1} << 48;
  const std::lock_guard lock(mutex_);
  if (bytes > kMost) refuse(bytes);
  const size_t rounded = std::max(roundUp(bytes, kGranule), kGranule);
  Pool& pool = poolOf(rounded);
  Block* block = take(pool, rounded);
  if (!block) block = grow(pool, rounded);
  if (!block) {
    trimLocked();
    block = grow(pool, rounded);
  }
  if (!block) refuse(bytes);
  statistics_.used += block->bytes;
  statistics_.peakUsed = std::max(statistics_.peakUsed, statistics_.used);
  return block->address;
}

Allocator::Block* Allocator::take(Pool& pool, size_t bytes) {
  Block wanted{nullptr, bytes, nullptr, false};
  const auto found = pool.free.lower_bound(&wanted);
  if (found == pool.free.end()) return nullptr;
  Block* block = *found;
  split(*block, bytes);
  block->used = true;
  pool.free.erase(block);
  used_.emplace(block->address, block);
  return block;
}

void Allocator::split(Block& block, size_t bytes) {
  const size_t rest = block.bytes - bytes;
  if (rest < (block.segment->pool == &small_ ? kGranule : kLeastLargeRest)) return;
  // The set is ordered by size: out and in again.
  block.segment->pool->free.erase(&block);
  auto tail = std::make_unique<Block>(Block{block.address + bytes, rest, block.segment, false});
  block.segment->pool->free.insert(tail.get());
  block.segment->blocks.emplace(tail->address, std::move(tail));
  block.bytes = bytes;
  block.segment->pool->free.insert(&block);
}

Allocator::Block* Allocator::grow(Pool& pool, size_t bytes) {
  size_t size = &pool == &small_ ? kSmallSegment : bytes > kOwnSegment ? roundUp(bytes, 2 * kMiB) : kLargeSegment;
  const auto exceeds = [&](size_t s) { return limit_ != 0 && (s > limit_ || statistics_.reserved > limit_ - s); };
  void* memory = exceeds(size) ? nullptr : source_.allocate(size);
  if (!memory && bytes < size) {
    // Near the limit a segment of just this block may still fit.
    size = bytes;
    memory = exceeds(size) ? nullptr : source_.allocate(size);
  }
  if (!memory) return nullptr;
  auto* address = static_cast<std::byte*>(memory);
  auto segment = std::make_unique<Segment>(Segment{address, size, &pool, {}});
  auto block = std::make_unique<Block>(Block{address, size, segment.get(), false});
  pool.free.insert(block.get());
  segment->blocks.emplace(address, std::move(block));
  segments_.emplace(address, std::move(segment));
  statistics_.reserved += size;
  statistics_.peakReserved = std::max(statistics_.peakReserved, statistics_.reserved);
  ++statistics_.deviceAllocations;
  return take(pool, bytes);
}

void Allocator::free(void* pointer) noexcept {
  if (pointer == nullptr) return;
  const std::lock_guard lock(mutex_);
  const auto found = used_.find(pointer);
  if (found == used_.end()) return;
  Block* block = found->second;
  used_.erase(found);
  statistics_.used -= block->bytes;
  block->used = false;
  auto& blocks = block->segment->blocks;
  Pool& pool = *block->segment->pool;
  auto here = blocks.find(block->address);
  if (const auto next = std::next(here); next != blocks.end() && !next->second->used) {
    pool.free.erase(next->second.get());
    block->bytes += next->second->bytes;
    blocks.erase(next);
  }
  if (here != blocks.begin()) {
    Block* before = std::prev(here)->second.get();
    if (!before->used) {
      pool.free.erase(before);
      before->bytes += block->bytes;
      blocks.erase(here);
      block = before;
    }
  }
  pool.free.insert(block);
}

void Allocator::trim() noexcept {
  const std::lock_guard lock(mutex_);
  trimLocked();
}

void Allocator::trimLocked() noexcept {
  for (auto at = segments_.begin(); at != segments_.end();) {
    Segment& segment = *at->second;
    Block& first = *segment.blocks.begin()->second;
    if (segment.blocks.size() > 1 || first.used) {
      ++at;
      continue;
    }
    segment.pool->free.erase(&first);
    source_.free(segment.address);
    statistics_.reserved -= segment.bytes;
    ++statistics_.deviceFrees;
    at = segments_.erase(at);
  }
}

AllocatorStatistics Allocator::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

void Allocator::refuse(size_t bytes) const {
  throw Error("ERR_OUT_OF_MEMORY", "cudaMalloc of " + mebibytes(bytes) + ": no memory; " + source_.state() + ", " +
                                       mebibytes(statistics_.used) + " in use and " +
                                       mebibytes(statistics_.reserved - statistics_.used) + " cached here" +
                                       (limit_ != 0 ? ", limit " + mebibytes(limit_) : std::string()));
}

}  // namespace fovea::cuda
