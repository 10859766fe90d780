#include "cpu/page_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

namespace fovea::cpu {
namespace {

constexpr size_t kRegion = size_t{64} << 20;  ///< Of address space: memory comes with the first use of a page.

uintptr_t up(uintptr_t value, size_t unit) { return (value + unit - 1) / unit * unit; }
uintptr_t down(uintptr_t value, size_t unit) { return value / unit * unit; }
size_t sizeOf(size_t bytes) { return up(std::max<size_t>(bytes, 1), kPage); }
void* pointerTo(uintptr_t address) { return reinterpret_cast<void*>(address); }

}  // namespace

void* PagePool::allocate(size_t bytes) noexcept {
  if (bytes > kLargestBlock) return nullptr;
  const size_t size = sizeOf(bytes);
  const Address at = take(size);
#ifdef MADV_POPULATE_WRITE
  // One call in place of a fault for every page; of larger blocks the threads that write them map huge pages side by
  // side. Only advice: failing does no harm.
  if (at != 0 && size < 2 * kHugePage) madvise(pointerTo(at), size, MADV_POPULATE_WRITE);
#endif
  return pointerTo(at);
}

PagePool::Address PagePool::take(size_t size) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = find(size);
  if (found == free_.end()) return 0;
  auto range = free_.extract(found);
  const Address at = range.key();
  if (range.mapped() > size) {
    range.key() += size;
    range.mapped() -= size;
    free_.insert(std::move(range));
  }
  kept_.erase(kept_.lower_bound(down(at, kHugePage)), kept_.lower_bound(at + size));
  return at;
}

void PagePool::free(void* block, size_t bytes) noexcept {
  const auto at = reinterpret_cast<Address>(block);
  const size_t size = sizeOf(bytes);
  const std::lock_guard lock(mutex_);
  try {
    const auto [from, free] = *join(at, size);
    // Huge pages that the block was the last to use.
    const Address first = std::max(up(from, kHugePage), down(at, kHugePage));
    const Address end = std::min(down(from + free, kHugePage), up(at + size, kHugePage));
    for (Address page = first; page < end; page += kHugePage) kept_.insert(page);
  } catch (const std::bad_alloc&) {
    // Not a hundred bytes for the books: what was freed, or its pages, stay out of them.
  }
  while (kept_.size() > kKept / kHugePage) {
    const auto last = std::prev(kept_.end());  // Blocks are taken from the front.
    madvise(pointerTo(*last), kHugePage, MADV_DONTNEED);
    kept_.erase(last);
  }
}

PagePool::Ranges::iterator PagePool::find(size_t size) {
  const auto first = [&] {
    return std::find_if(free_.begin(), free_.end(), [&](const auto& range) { return range.second >= size; });
  };
  const auto found = first();
  if (found != free_.end()) return found;
  return addRegion(kRegion) || addRegion(up(size, kHugePage)) ? first() : free_.end();
}

/** Regions begin and end with a huge page. */
bool PagePool::addRegion(size_t bytes) {
  void* const mapped = mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return false;
  const auto at = reinterpret_cast<Address>(mapped);
  const Address from = up(at, kHugePage), to = from + bytes, end = at + bytes + kHugePage;
  if (from > at) munmap(mapped, from - at);
  if (end > to) munmap(pointerTo(to), end - to);
#ifdef MADV_HUGEPAGE
  madvise(pointerTo(from), bytes, MADV_HUGEPAGE);
#endif
  try {
    join(from, bytes);
  } catch (const std::bad_alloc&) {
    munmap(pointerTo(from), bytes);
    return false;
  }
  return true;
}

PagePool::Ranges::iterator PagePool::join(Address at, size_t size) {
  auto range = free_.emplace(at, size).first;
  if (const auto next = std::next(range); next != free_.end() && next->first == at + size) {
    range->second += next->second;
    free_.erase(next);
  }
  if (range == free_.begin()) return range;
  const auto before = std::prev(range);
  if (before->first + before->second != at) return range;
  before->second += range->second;
  free_.erase(range);
  return before;
}

}  // namespace fovea::cpu
