#pragma once

#include <cstdint>

#include "cuda/kernels/block.h"

namespace fovea::cuda {

/**
 * Says that `value`, at `position` of the operand, is wrong. Of several faults the first position stays, whatever the
 * order of the threads. Then the kernel goes on with a harmless value: it must not read or write out of bounds. What is
 * launched after it does nothing (`halted`). Every prepared kernel that can fail has a word of its own
 * (`Context::faultSlot`), in `Args::fault`; `synchronize` looks at them.
 */
template <class Block>
FOVEA_HD void reportFault(const Block& block, FaultWord* word, int64_t position, int32_t value) {
  constexpr int64_t kLast = 0xfffffffe;
  const FaultWord fault =
      static_cast<FaultWord>(position < kLast ? position : kLast) << 32 | static_cast<uint32_t>(value);
#if defined(__CUDA_ARCH__)
  atomicMin(word, fault);
  if (block.halt() != nullptr) atomicCAS(block.halt(), kNoFault, nameOf(word));
#else
  if (fault < *word) *word = fault;
  if (block.halt() != nullptr && *block.halt() == kNoFault) *block.halt() = nameOf(word);
#endif
}

}  // namespace fovea::cuda
