#pragma once

#include <string>

namespace fovea::emulator {

/** What a fault does to the call it is injected into. */
struct Fault {
  int code = 0;         ///< The status to return; 0: none.
  bool sticky = false;  ///< Every later call fails with it as well, until the process ends.
  bool late = false;    ///< The call succeeds; the work it enqueued fails, and is sticky.
};

/**
 * Counts a call of `api` and says which fault, if any, was asked for it.
 *
 * `FOVEA_EMU_FAIL` lists faults with semicolons: `cudaMalloc:3=2` makes the third call return 2,
 * `cudaLaunchKernel:10=700s` is sticky, `cudaLaunchKernel:10=700a` shows when the work runs. `*` for the number means
 * every call. The doubles of cuDNN and cuBLAS count under their own names, with a part after a colon where one function
 * does many things: `cudnnBackendFinalize:plan:1=3000`.
 *
 * `@/a/file` takes the list from the first line of a file, and takes it anew, with calls counted from 1, whenever
 * another file is renamed onto that one: many faults in one process. What fired is appended to `/a/file.fired`.
 */
Fault countCall(const std::string& api);

}  // namespace fovea::emulator
