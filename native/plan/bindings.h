#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "plan/arena.h"
#include "plan/device.h"

namespace fovea {

/** What a plan does with one external. */
struct ExternalUse {
  size_t bytes = 0;
  bool read = false, written = false;
};

/**
 * Gives the externals of a plan addresses that stay the same from run to run, which recordings need. Variables do by
 * themselves; batches and results come in buffers that are new every time, so a plan that is recorded has memory of its
 * own for those: they are copied there before a run and from there after it, on the device.
 */
class Bindings {
 public:
  Bindings(Device& device, std::vector<ExternalUse> uses);

  /** The addresses of this run. One that has been at two places before is bound to memory of the plan's from now on. */
  std::vector<void*> bind(const std::vector<void*>& addresses);
  /** Enqueues the copies of what is read, and after the run of what is written. */
  void copyIn(const std::vector<void*>& addresses, const std::vector<void*>& bound);
  void copyOut(const std::vector<void*>& addresses, const std::vector<void*>& bound);

 private:
  struct External {
    ExternalUse use;
    std::vector<void*> seen;
    std::unique_ptr<Allocation> own;
  };

  Device& device_;
  std::vector<External> externals_;
};

}  // namespace fovea
