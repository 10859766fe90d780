#pragma once

#include <mutex>

#include "emulator/config.h"
#include "emulator/faults.h"
#include "emulator/runtime.h"

namespace fovea::emulator {

/** When a call is allowed. */
enum class During : uint8_t { kAlways, kNoCapture };

inline cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess) Runtime::last() = error;
  return error;
}

/**
 * The frame of every runtime call: the lock, a missing driver, sticky errors, injected faults, captures that forbid it,
 * and the thread's last error. `body(fault)` does the call; `fault.late` is for those that enqueue work.
 */
template <typename Body>
cudaError_t call(const char* name, During during, Body body) {
  Runtime& runtime = Runtime::instance();
  const std::lock_guard lock(runtime.mutex());
  if (config().noDriver) return Runtime::last() = cudaErrorInsufficientDriver;
  if (config().devices == 0) return remember(cudaErrorNoDevice);
  if (runtime.sticky()) return remember(runtime.sticky());
  const Fault fault = countCall(name);
  if (fault.code != 0 && !fault.late) {
    if (fault.sticky) runtime.stick(static_cast<cudaError_t>(fault.code));
    return remember(static_cast<cudaError_t>(fault.code));
  }
  if (during == During::kNoCapture) {
    if (Capture* capture = runtime.forbidding()) {
      capture->invalid = true;
      return remember(cudaErrorStreamCaptureUnsupported);
    }
  }
  return remember(body(fault));  // what the work itself does wrong shows at the next call, as on a device
}

/** `work`, or a fault instead of it when it runs. */
inline std::function<cudaError_t()> orFault(const Fault& fault, std::function<cudaError_t()> work) {
  if (!fault.late) return work;
  return [code = fault.code] { return static_cast<cudaError_t>(code); };
}

}  // namespace fovea::emulator
