#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace fovea::cuda {

/** What an allocator holds, in bytes and counts. */
struct AllocatorStatistics {
  size_t used = 0, peakUsed = 0;          ///< In blocks that were given out, rounded to their size classes.
  size_t reserved = 0, peakReserved = 0;  ///< Had from the device, used or not.
  uint64_t deviceAllocations = 0, deviceFrees = 0;
};

/**
 * A caching allocator: device memory is had in segments, cut into blocks of multiples of 512 bytes, and freed blocks
 * are joined with their neighbours and given out again, the smallest that fits first. Small blocks (up to 1 MiB) come
 * from segments of 2 MiB, others from segments of 32 MiB, and those above 16 MiB get a segment of their own size.
 *
 * Blocks are freed only when no launched work uses them (see core/backend.h), so no events are needed. Any thread.
 */
class Allocator {
 public:
  /** Where segments come from: cudaMalloc and cudaFree, or a test's. */
  class Source {
   public:
    virtual ~Source() = default;
    /** Null when there is no memory; throws for everything else. */
    virtual void* allocate(size_t bytes) = 0;
    virtual void free(void* pointer) noexcept = 0;
    /** "3.1 MiB of 24.0 GiB are free on the device", for messages. */
    virtual std::string state() = 0;
  };

  /** @param limit most bytes to have from the device; 0 for no limit */
  Allocator(Source& source, size_t limit) : source_(source), limit_(limit) {}
  ~Allocator();
  Allocator(const Allocator&) = delete;
  Allocator& operator=(const Allocator&) = delete;

  /**
   * 512-byte aligned. Where there is no memory the cached segments are given back and the device asked once more; then
   * throws ERR_OUT_OF_MEMORY with what was asked, what is free and the limit.
   */
  void* allocate(size_t bytes);
  void free(void* pointer) noexcept;
  /** Gives back all segments without a used block. */
  void trim() noexcept;
  AllocatorStatistics statistics() const;

 private:
  struct Segment;
  struct Block {
    std::byte* address;
    size_t bytes;
    Segment* segment;
    bool used;
  };
  struct BySize {
    bool operator()(const Block* a, const Block* b) const {
      return a->bytes != b->bytes ? a->bytes < b->bytes : a->address < b->address;
    }
  };
  struct Pool {
    std::set<Block*, BySize> free;
  };
  /** Memory from the device, all of it in blocks, by address. */
  struct Segment {
    std::byte* address;
    size_t bytes;
    Pool* pool;
    std::map<std::byte*, std::unique_ptr<Block>> blocks;
  };

  Pool& poolOf(size_t bytes);
  /** A used block of a pool's free ones, or null. */
  Block* take(Pool& pool, size_t bytes);
  Block* grow(Pool& pool, size_t bytes);
  void split(Block& block, size_t bytes);
  void trimLocked() noexcept;
  [[noreturn]] void refuse(size_t bytes) const;

  Source& source_;
  const size_t limit_;
  mutable std::mutex mutex_;
  Pool small_, large_;
  std::map<std::byte*, std::unique_ptr<Segment>> segments_;
  std::map<void*, Block*> used_;
  AllocatorStatistics statistics_;
};

}  // namespace fovea::cuda
