#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>

namespace fovea::cpu {

constexpr size_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;

/**
 * Blocks of memory side by side in huge pages: what is smaller than such a page, or ends within one, leaves the rest of
 * it to its neighbours. A megabyte of huge pages is made zero three times as fast as one of small ones, and one entry
 * of the address cache does for 512 of them.
 *
 * Address space is had in regions and kept. A huge page in which nothing is used any more is given back to the system,
 * but for a few that wait for the next block. Where the system has no huge pages, small ones lie there. Any thread.
 */
class PagePool {
 public:
  /** Most bytes of one block. */
  static constexpr size_t kLargestBlock = size_t{16} << 20;
  /** Most bytes of huge pages that are kept though nothing in them is used. */
  static constexpr size_t kKept = size_t{16} << 20;

  PagePool() = default;
  PagePool(const PagePool&) = delete;
  PagePool& operator=(const PagePool&) = delete;

  /** A block on a boundary of small pages; null where there is no memory, or for more than kLargestBlock. */
  void* allocate(size_t bytes) noexcept;
  /** @param bytes - as they were asked for */
  void free(void* block, size_t bytes) noexcept;

 private:
  using Address = uintptr_t;
  using Ranges = std::map<Address, size_t>;  ///< Bytes by address.

  /** A block of whole pages, as yet without memory; 0 where there is none. */
  Address take(size_t size) noexcept;
  /** A free range of so many bytes, in a new region if need be; the end where there is none. */
  Ranges::iterator find(size_t size);
  bool addRegion(size_t bytes);
  /** Frees a range and joins it with its neighbours. */
  Ranges::iterator join(Address at, size_t size);

  std::mutex mutex_;
  Ranges free_;
  std::set<Address> kept_;  ///< Huge pages that were given memory though nothing in them is used.
};

}  // namespace fovea::cpu
