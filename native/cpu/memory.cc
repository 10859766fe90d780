#include "cpu/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "cpu/kernel_base.h"

namespace fovea::cpu {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kLarge = 2 * kHugePage;
/** Below this, the call costs as much as it saves. */
constexpr size_t kMapped = 16 * kPage;

/** What is only advice: failing does no harm. */
void prepare([[maybe_unused]] void* pointer, [[maybe_unused]] size_t bytes) {
#ifdef MADV_HUGEPAGE
  if (bytes >= kLarge) madvise(pointer, bytes, MADV_HUGEPAGE);
#endif
#ifdef MADV_POPULATE_WRITE
  if (bytes >= kMapped && bytes < kLarge) {
    const uintptr_t at = reinterpret_cast<uintptr_t>(pointer);
    const uintptr_t from = (at + kPage - 1) / kPage * kPage, to = (at + bytes) / kPage * kPage;
    madvise(reinterpret_cast<void*>(from), to - from, MADV_POPULATE_WRITE);
  }
#endif
}

}  // namespace

void* allocateMemory(size_t bytes) {
  void* pointer = nullptr;
  const size_t whole = std::max<size_t>(align64(bytes), 64);
  if (posix_memalign(&pointer, bytes >= kLarge ? kHugePage : 64, whole) != 0) return nullptr;
  prepare(pointer, bytes);
  return pointer;
}

}  // namespace fovea::cpu
