#include <cstdlib>
#include <map>
#include <random>
#include <vector>

#include "cuda/allocator.h"
#include "native/fixtures.h"
#include "native/testing.h"

/** @file The caching allocator of the cuda backend, on a source that is host memory. */
namespace fovea::test {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

/** Host memory with a size, and a book of what is out. */
class Host final : public cuda::Allocator::Source {
 public:
  explicit Host(size_t capacity) : capacity_(capacity) {}
  void* allocate(size_t bytes) override {
    if (used + bytes > capacity_) return nullptr;
    void* memory = std::aligned_alloc(512, bytes);
    out_[memory] = bytes;
    used += bytes;
    return memory;
  }
  void free(void* pointer) noexcept override {
    used -= out_[pointer];
    out_.erase(pointer);
    std::free(pointer);
  }
  std::string state() override { return "the host has " + std::to_string(capacity_ - used); }

  size_t used = 0;

 private:
  size_t capacity_;
  std::map<void*, size_t> out_;
};

}  // namespace

std::vector<Test> cudaMemoryTests() {
  return {
      {"cuda allocator: a freed block is given out again without asking the device",
       [] {
         Host host(256 * kMiB);
         cuda::Allocator allocator(host, 0);
         void* first = allocator.allocate(3 * kMiB);
         allocator.free(first);
         check(allocator.allocate(3 * kMiB) == first);
         check(allocator.statistics().deviceAllocations == 1);
       }},
      {"cuda allocator: neighbours are joined when freed, and segments given back whole",
       [] {
         Host host(256 * kMiB);
         cuda::Allocator allocator(host, 0);
         void* parts[4];
         for (void*& part : parts) part = allocator.allocate(8 * kMiB);
         check(host.used == 32 * kMiB, std::to_string(host.used));
         for (int i : {1, 3, 0, 2}) allocator.free(parts[i]);
         check(allocator.allocate(32 * kMiB) == parts[0], "the joined block is not the whole segment");
         allocator.free(parts[0]);
         allocator.trim();
         check(host.used == 0);
       }},
      {"cuda allocator: when the device is full, cached segments go and it is asked again",
       [] {
         Host host(64 * kMiB);
         cuda::Allocator allocator(host, 0);
         allocator.free(allocator.allocate(40 * kMiB));
         void* larger = allocator.allocate(60 * kMiB);
         check(larger != nullptr);
         check(allocator.statistics().deviceFrees == 1);
         allocator.free(larger);
       }},
      {"cuda allocator: what cannot be had is refused with sizes, and the rest goes on",
       [] {
         Host host(64 * kMiB);
         cuda::Allocator allocator(host, 48 * kMiB);
         void* half = allocator.allocate(20 * kMiB);
         const Error error = errorOf([&] { allocator.allocate(30 * kMiB); });
         check(error.code() == "ERR_OUT_OF_MEMORY", error.code());
         for (const char* part : {"30.0 MiB", "the host has", "20.0 MiB in use", "limit 48.0 MiB"}) {
           check(contains(error.what(), part), error.what());
         }
         check(errorOf([&] { allocator.allocate(SIZE_MAX - 5); }).code() == "ERR_OUT_OF_MEMORY");
         allocator.free(allocator.allocate(25 * kMiB));
         allocator.free(half);
       }},
      {"cuda allocator: blocks never overlap, are aligned, and everything is given back",
       [] {
         Host host(size_t{1} << 30);
         {
           cuda::Allocator allocator(host, 0);
           std::mt19937 random(7);
           std::map<std::byte*, size_t> blocks;
           for (int i = 0; i < 3000; ++i) {
             if (blocks.size() > 40 || (random() % 3 == 0 && !blocks.empty())) {
               auto at = blocks.begin();
               std::advance(at, static_cast<int64_t>(random() % blocks.size()));
               allocator.free(at->first);
               blocks.erase(at);
               continue;
             }
             const size_t bytes = size_t{1} << (random() % 24);
             auto* block = static_cast<std::byte*>(allocator.allocate(bytes));
             check(reinterpret_cast<uintptr_t>(block) % 512 == 0);
             const auto next = blocks.lower_bound(block);
             check(next == blocks.end() || block + bytes <= next->first, "overlaps the next");
             check(next == blocks.begin() || std::prev(next)->first + std::prev(next)->second <= block,
                   "overlaps the one before");
             blocks[block] = bytes;
           }
           for (const auto& [block, bytes] : blocks) allocator.free(block);
           check(allocator.statistics().used == 0);
           allocator.trim();
           check(allocator.statistics().reserved == 0);
         }
         check(host.used == 0);
       }},
  };
}

}  // namespace fovea::test
