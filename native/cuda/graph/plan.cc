#include "cuda/graph/plan.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace fovea::cuda::graph {
namespace {

/** cuDNN has been seen to ask for absurd sizes, which mean that an engine cannot. */
constexpr int64_t kAbsurd = int64_t{1} << 40;

std::vector<Descriptor> configurations(const ConvGraph& graph, cudnnBackendHeurMode_t mode, const Target& target) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.descriptor());
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
  if (target.device != nullptr) heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *target.device);
  if (heuristics.tryFinalize() != CUDNN_STATUS_SUCCESS) return {};
  const int64_t count = heuristics.get<cudnnBackendDescriptor_t>(CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, nullptr, 0);
  // The descriptors that are to be filled must exist before.
  std::vector<Descriptor> list;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int64_t i = 0; i < count; ++i) {
    list.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    raw.push_back(list.back().get());
  }
  const int64_t filled =
      count == 0 ? 0 : heuristics.get(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, raw.data(), count);
  list.resize(static_cast<size_t>(std::clamp<int64_t>(filled, 0, count)));
  return list;
}

Descriptor engineOf(const Descriptor& configuration) {
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = engine.get();
  configuration.get(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, &raw, 1);
  return engine;
}

std::vector<cudnnBackendNumericalNote_t> notesOf(const Descriptor& engine) {
  std::vector<cudnnBackendNumericalNote_t> notes(CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  const int64_t count = engine.get(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, notes.data(),
                                   static_cast<int64_t>(notes.size()));
  notes.resize(static_cast<size_t>(std::clamp<int64_t>(count, 0, CUDNN_NUMERICAL_NOTE_TYPE_COUNT)));
  return notes;
}

void setTarget(Descriptor& plan, const Target& target) {
  if (target.handle != nullptr) plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, target.handle);
  if (target.device != nullptr) plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *target.device);
}

}  // namespace

Descriptor describedDevice(const std::string& json) {
  Descriptor d(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  d.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, json.c_str(),
        static_cast<int64_t>(json.size() + 1));
  d.finalize("device description");
  return d;
}

bool allows(const PlanPolicy& policy, DType type, const std::vector<cudnnBackendNumericalNote_t>& notes) {
  return std::none_of(notes.begin(), notes.end(), [&](cudnnBackendNumericalNote_t note) {
    switch (note) {
      case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
        return policy.deterministic;
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
      case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
        return type == DType::kFloat32 && !policy.tf32;
      case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
      // Their errors grow beyond what the tests allow.
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13:
        return true;
      default:
        return false;
    }
  });
}

ExecutionPlan::ExecutionPlan(Descriptor plan, int64_t engine)
    : plan_(std::move(plan)),
      workspace_(std::max<int64_t>(plan_.integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE), 0)),
      engine_(engine) {}

std::string ExecutionPlan::json() const {
  int64_t size = 0;
  if (cudnnBackendGetAttribute(plan_.get(), CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, 0, &size,
                               nullptr) != CUDNN_STATUS_SUCCESS ||
      size <= 0) {
    return "";
  }
  std::string text(static_cast<size_t>(size), '\0');
  if (cudnnBackendGetAttribute(plan_.get(), CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, size, &size,
                               text.data()) != CUDNN_STATUS_SUCCESS) {
    return "";
  }
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

std::string PlanList::summary() const {
  return std::to_string(configurations) + " configurations: " + std::to_string(filtered) + " not allowed, " +
         std::to_string(tooLarge) + " beyond the workspace limit, " + std::to_string(refused) + " refused" +
         (lastRefusal.empty() ? "" : " (" + lastRefusal + ")");
}

PlanList findPlans(const ConvGraph& graph, DType type, const Target& target, const PlanPolicy& policy, size_t most) {
  PlanList list;
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (const Descriptor& configuration : configurations(graph, mode, target)) {
      if (list.plans.size() >= most) return list;
      ++list.configurations;
      const Descriptor engine = engineOf(configuration);
      if (!allows(policy, type, notesOf(engine))) {
        ++list.filtered;
        continue;
      }
      Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
      setTarget(plan, target);
      // Expected: the heuristics propose what this device or this installation cannot do.
      if (const cudnnStatus_t status = plan.tryFinalize(); status != CUDNN_STATUS_SUCCESS) {
        ++list.refused;
        list.lastRefusal = statusText(status);
        continue;
      }
      ExecutionPlan made(std::move(plan), engine.integer(CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
      if (static_cast<int64_t>(made.workspaceBytes()) > std::min(policy.workspaceLimit, kAbsurd)) {
        ++list.tooLarge;
        continue;
      }
      list.plans.push_back(std::move(made));
    }
  }
  return list;
}

std::optional<ExecutionPlan> planFromJson(const std::string& json, const Target& target) {
  try {
    Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    setTarget(plan, target);
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, json.c_str(),
             static_cast<int64_t>(json.size() + 1));
    if (plan.tryFinalize() != CUDNN_STATUS_SUCCESS) return std::nullopt;
    return ExecutionPlan(std::move(plan), -1);
  } catch (const std::exception&) {  // cuDNN's own reader throws through its C interface where digits are damaged
    return std::nullopt;
  }
}

}  // namespace fovea::cuda::graph
