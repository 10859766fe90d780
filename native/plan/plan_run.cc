#include "plan/plan_run.h"

#include <algorithm>
#include <exception>

namespace fovea {

void PlanRun::run(const StopSignal& stop) {
  guardedly([&] { plan_->run(externals(), stop); });
}

std::vector<StepProfile> PlanRun::profile(const StopSignal& stop) {
  return guardedly([&] { return plan_->profile(externals(), stop); });
}

/** Calls `body` between the check of the inputs and the marking of the outputs. */
template <typename Body>
auto PlanRun::guardedly(Body body) -> decltype(body()) {
  try {
    throwWhereInputFailed();
    mark(nullptr);
    return body();
  } catch (const Error& error) {
    mark(std::make_shared<const Error>(error));
    throw;
  } catch (const std::exception& error) {
    Error failure("ERR_EXECUTION", error.what());
    mark(std::make_shared<const Error>(failure));
    throw failure;
  }
}

std::vector<Plan::External> PlanRun::externals() const {
  std::vector<Plan::External> list;
  list.reserve(uses_.size());
  for (size_t i = 0; i < uses_.size(); ++i) {
    if (plan_->writes(i)) uses_[i]->changes();
  }
  for (const DeviceMemory::Use& memory : uses_) list.push_back({memory->data(), memory->version()});
  return list;
}

void PlanRun::throwWhereInputFailed() const {
  const size_t inputs = std::min(outputsFrom_, uses_.size());
  for (size_t i = 0; i < inputs; ++i) {
    if (uses_[i]->failure) throw Error(*uses_[i]->failure);
  }
}

void PlanRun::mark(const std::shared_ptr<const Error>& failure) {
  for (size_t i = outputsFrom_; i < uses_.size(); ++i) uses_[i]->failure = failure;
}

}  // namespace fovea
