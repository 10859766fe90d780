#pragma once

#include <cstddef>

namespace fovea::cpu {

/**
 * Memory for elements, on a boundary of 64 bytes at least and with nothing known in it, or null where there is none.
 * Large memory is asked for in huge pages; of smaller one all pages are mapped at once, not by a fault a page: nearly
 * all of it is about to be written. Freed by `std::free`.
 */
void* allocateMemory(size_t bytes);

}  // namespace fovea::cpu
