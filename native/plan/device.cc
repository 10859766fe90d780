#include "plan/device.h"

#include "core/error.h"

namespace fovea {

Device::PlanCount::~PlanCount() {
  if (--device_.plans_ != 0) return;
  std::lock_guard lock(device_.arenaMutex_);
  if (device_.plans_ == 0) device_.arena_.release();
}

void throwStopped() { throw Error("ERR_EXECUTION", "the run was stopped because its thread or the process ends"); }

}  // namespace fovea
