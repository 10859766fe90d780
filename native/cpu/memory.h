#pragma once

#include <cstddef>
#include <memory>

namespace fovea::cpu {

/**
 * Memory for elements, on a boundary of 64 bytes at least and with nothing known in it, or null where there is none.
 * All but small memory lies in huge pages, where the system has them, and is mapped at once, not by a fault a page:
 * nearly all of it is about to be written.
 */
void* allocateMemory(size_t bytes);
/** @param bytes - as they were asked for */
void freeMemory(void* pointer, size_t bytes) noexcept;

struct FreeMemory {
  size_t bytes = 0;
  void operator()(void* pointer) const noexcept { freeMemory(pointer, bytes); }
};
using OwnedMemory = std::unique_ptr<void, FreeMemory>;

}  // namespace fovea::cpu
