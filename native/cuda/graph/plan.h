#pragma once

#include <cudnn.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cuda/graph/conv_graph.h"
#include "cuda/graph/descriptor.h"

namespace fovea::cuda::graph {

/** For which device plans are made: that of a handle, or the one that a description stands for. */
struct Target {
  cudnnHandle_t handle = nullptr;
  const Descriptor* device = nullptr;  ///< CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR.
};

/** A device as cuDNN describes it in JSON; plans for it can be made and checked where there is no device. */
Descriptor describedDevice(const std::string& json);

/** Which engines may be chosen. */
struct PlanPolicy {
  bool deterministic = true;
  bool tf32 = false;  ///< Whether float32 may be rounded to the tensor cores' type.
  int64_t workspaceLimit = int64_t{1} << 30;
};

/** Whether the policy allows an engine with these notes for operands of `type`. */
bool allows(const PlanPolicy& policy, DType type, const std::vector<cudnnBackendNumericalNote_t>& notes);

/** A finalized execution plan. */
class ExecutionPlan {
 public:
  ExecutionPlan(Descriptor plan, int64_t engine);
  const Descriptor& descriptor() const { return plan_; }
  size_t workspaceBytes() const { return static_cast<size_t>(workspace_); }
  int64_t engine() const { return engine_; }
  /** cuDNN's own text of the plan, from which it can be made again; empty where this version has none. */
  std::string json() const;

 private:
  Descriptor plan_;
  int64_t workspace_;
  int64_t engine_;
};

/** Plans that work, in the order cuDNN's heuristics prefer, and why the others do not. */
struct PlanList {
  std::vector<ExecutionPlan> plans;
  int64_t configurations = 0, filtered = 0, refused = 0, tooLarge = 0;
  std::string lastRefusal;
  /** "47 configurations: 12 not allowed, 35 refused (...)". */
  std::string summary() const;
};

/** At most `most` plans: heuristics of mode A first, then the fallback's. */
PlanList findPlans(const ConvGraph& graph, DType type, const Target& target, const PlanPolicy& policy, size_t most);

/** The plan of a text of `ExecutionPlan::json`, or nothing when this cuDNN does not take it. */
std::optional<ExecutionPlan> planFromJson(const std::string& json, const Target& target);

}  // namespace fovea::cuda::graph
