#include "cpu/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "cpu/kernel_base.h"
#include "cpu/page_pool.h"

namespace fovea::cpu {
namespace {

constexpr size_t kPooled = 16 * kPage;  ///< Smaller memory is the heap's: most of it is there already.

/** Of a size that the pool takes. AddressSanitizer sees a byte too far only where the heap gives every block. */
bool pooled([[maybe_unused]] size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  return false;
#else
  return bytes >= kPooled && bytes <= PagePool::kLargestBlock;
#endif
}

/** Never destroyed: memory is freed until the process ends. */
PagePool& pool() {
  static PagePool& instance = *new PagePool;
  return instance;
}

}  // namespace

void* allocateMemory(size_t bytes) {
  if (pooled(bytes)) return pool().allocate(bytes);
  void* pointer = nullptr;
  const size_t whole = std::max<size_t>(align64(bytes), 64);
  if (posix_memalign(&pointer, bytes >= kHugePage ? kHugePage : 64, whole) != 0) return nullptr;
#ifdef MADV_HUGEPAGE
  if (bytes >= kHugePage) madvise(pointer, bytes, MADV_HUGEPAGE);  // Only advice: failing does no harm.
#endif
  return pointer;
}

void freeMemory(void* pointer, size_t bytes) noexcept {
  if (pooled(bytes)) return pool().free(pointer, bytes);
  std::free(pointer);
}

}  // namespace fovea::cpu
