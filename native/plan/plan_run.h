#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "plan/device_memory.h"
#include "plan/plan.h"

namespace fovea {

/**
 * One run of a plan: its buffers, in use from the call that asks for the run until the run is done. A run that fails
 * marks its output buffers as failed; a run that reads a failed buffer fails with the same error and does nothing else.
 */
class PlanRun {
 public:
  /** No buffer is an output. */
  static constexpr size_t kNoOutputs = SIZE_MAX;

  /** @param outputsFrom buffers from this index on are outputs */
  PlanRun(std::shared_ptr<Plan> plan, size_t outputsFrom) : plan_(std::move(plan)), outputsFrom_(outputsFrom) {
    uses_.reserve(plan_->externals().size());
  }

  const Plan& plan() const { return *plan_; }
  /** Adds the next of the buffers that the plan expects. */
  void add(std::shared_ptr<DeviceMemory> memory) { uses_.emplace_back(std::move(memory)); }

  /** On the engine thread. Throws fovea::Error that names op and layer. */
  void run(const StopSignal& stop);
  std::vector<StepProfile> profile(const StopSignal& stop);
  /** The run is done: lets go of the buffers. */
  void finish() { uses_.clear(); }

 private:
  template <typename Body>
  auto guardedly(Body body) -> decltype(body());
  std::vector<Plan::External> externals() const;
  void throwWhereInputFailed() const;
  void mark(const std::shared_ptr<const Error>& failure);

  const std::shared_ptr<Plan> plan_;
  const size_t outputsFrom_;
  std::vector<DeviceMemory::Use> uses_;
};

}  // namespace fovea
