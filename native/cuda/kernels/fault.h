#pragma once

#include <cstdint>

#include "cuda/kernels/block.h"

namespace fovea::cuda {

/**
 * A word of device memory where a kernel says that its data is wrong (an index out of range): all ones while nothing is
 * wrong. Every prepared kernel that can fail has its own (`Context::faultSlot`); `synchronize` looks at them.
 */
using FaultWord = unsigned long long;
inline constexpr FaultWord kNoFault = ~FaultWord{0};

/**
 * Says that `value`, at `position` of the operand, is wrong. Of several faults the first position stays, whatever the
 * order of the threads. Then the kernel goes on with a harmless value: it must not read or write out of bounds.
 */
FOVEA_HD void reportFault(FaultWord* word, int64_t position, int32_t value) {
  constexpr int64_t kLast = 0xfffffffe;
  const FaultWord fault =
      static_cast<FaultWord>(position < kLast ? position : kLast) << 32 | static_cast<uint32_t>(value);
#if defined(__CUDA_ARCH__)
  atomicMin(word, fault);
#else
  if (fault < *word) *word = fault;
#endif
}

}  // namespace fovea::cuda
