#include "cuda/conv_plans.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace fovea::cuda {
namespace {

constexpr size_t kTimed = 10;  ///< Plans that are timed at most,
constexpr int kTimedRuns = 3;  ///< each so often, after one run to warm up.
constexpr const char* kTiming = "operands for timing";
constexpr size_t kMostTried = 8;  ///< Plans of a list that are tried before giving up.

/** Two events of the device. */
class Stopwatch {
 public:
  /** @param detail what is timed, for messages */
  Stopwatch(Context& context, std::string detail) : context_(context), detail_(std::move(detail)) {
    context_.check(cudaEventCreate(&start_), "cudaEventCreate", detail_);
    const cudaError_t status = cudaEventCreate(&end_);
    if (status != cudaSuccess) cudaEventDestroy(start_);
    context_.check(status, "cudaEventCreate", detail_);
  }
  ~Stopwatch() {
    cudaEventDestroy(start_);
    cudaEventDestroy(end_);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  template <class Body>
  float milliseconds(const Body& body) {
    context_.check(cudaEventRecord(start_, context_.stream()), "cudaEventRecord", detail_);
    body();
    context_.check(cudaEventRecord(end_, context_.stream()), "cudaEventRecord", detail_);
    context_.check(cudaEventSynchronize(end_), "cudaEventSynchronize", detail_);
    float time = 0;
    context_.check(cudaEventElapsedTime(&time, start_, end_), "cudaEventElapsedTime", detail_);
    return time;
  }

 private:
  Context& context_;
  const std::string detail_;
  cudaEvent_t start_ = nullptr, end_ = nullptr;
};

/** What cuDNN refused while `problem` was at hand, with its sizes. */
Error withSizes(const Context& context, const graph::ConvProblem& problem, const graph::Refusal& refusal) {
  return {refusal.code(), context.name() + ": " + problem.describe() + ": " + refusal.what()};
}

/** Pointers by name; `workspace` may be null. */
graph::Descriptor variantPack(const graph::ConvProblem& problem, const ConvPointers& p) {
  std::array<int64_t, 5> names{graph::kX, graph::kW, graph::kY};
  std::array<const void*, 5> data{p.x, p.w, p.y};
  int64_t count = 3;
  if (problem.bias) {
    names[count] = graph::kBias;
    data[count++] = p.bias;
  }
  if (problem.residual) {
    names[count] = graph::kResidual;
    data[count++] = p.residual;
  }
  graph::Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, names.data(), count);
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, data.data(), count);
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, p.workspace);
  pack.finalize("variant pack");
  return pack;
}

}  // namespace

graph::PlanPolicy policyOf(const Options& options) {
  graph::PlanPolicy policy;
  policy.deterministic = options.deterministic;
  policy.tf32 = options.tf32;
  policy.workspaceLimit = static_cast<int64_t>(options.workspaceLimit);
  return policy;
}

ConvPlan::ConvPlan(Context& context, graph::ConvProblem problem, graph::ExecutionPlan plan)
    : context_(context),
      problem_(std::move(problem)),
      plan_(std::move(plan)),
      workspaceBytes_(plan_.workspaceBytes()) {}

void ConvPlan::replace(cudnnStatus_t status) {
  const std::string detail =
      problem_.describe() + ", engine " + (plan_.engine() < 0 ? "remembered" : std::to_string(plan_.engine()));
  // 3000 and above say that another plan may do; the rest that the call itself was wrong.
  constexpr int kNotSupported = 3000;
  if (status < kNotSupported || tried_ >= kMostTried) context_.check(status, "cudnnBackendExecute", detail);
  const cudaError_t last = cudaGetLastError();
  if (isSticky(last)) context_.check(last, "cudnnBackendExecute", detail);
  graph::PlanPolicy policy = policyOf(context_.options());
  policy.workspaceLimit = static_cast<int64_t>(workspaceBytes_);
  graph::PlanList list;
  try {
    const graph::ConvGraph graph(problem_, context_.cudnn());
    list = graph::findPlans(graph, problem_.geometry.type, {context_.cudnn(), nullptr}, policy, tried_ + 1);
  } catch (const graph::Refusal& refusal) {
    throw withSizes(context_, problem_, refusal);
  }
  if (list.plans.size() <= tried_) context_.check(status, "cudnnBackendExecute", detail);
  plan_ = std::move(list.plans[tried_]);
  ++tried_;
}

void ConvExecution::run(Context& context, const ConvPointers& pointers) {
  for (;;) {
    if (!pack_ || !(pointers == packed_)) {
      try {
        pack_ = variantPack(plan_->problem(), pointers);
      } catch (const graph::Refusal& refusal) {
        throw withSizes(context, plan_->problem(), refusal);
      }
      packed_ = pointers;
    }
    const cudnnStatus_t status = cudnnBackendExecute(context.cudnn(), plan_->plan().descriptor().get(), pack_.get());
    if (status == CUDNN_STATUS_SUCCESS) [[likely]]
      return;
    plan_->replace(status);
  }
}

ConvPlans::ConvPlans(Context& context, const std::string& tuningFolder)
    : context_(context),
      cache_(tuningFolder, context.properties().name + " sm" + std::to_string(context.properties().sm()) + " cudnn " +
                               std::to_string(cudnnGetVersion()) + (context.options().deterministic ? " exact" : "") +
                               (context.options().tf32 ? " tf32" : "") + (context.options().autotune ? " timed" : "") +
                               " workspace " + std::to_string(context.options().workspaceLimit)) {}

std::shared_ptr<ConvPlan> ConvPlans::find(const graph::ConvProblem& problem, std::string& why) {
  const std::string key = problem.key();
  if (const auto known = plans_.find(key); known != plans_.end()) {
    if (std::shared_ptr<ConvPlan> plan = known->second.lock()) return plan;
  }
  std::optional<graph::ExecutionPlan> plan = remembered(key);
  if (!plan) {
    plan = choose(problem, why);
    if (!plan) return nullptr;
    cache_.remember(key, plan->json());
  }
  auto made = std::make_shared<ConvPlan>(context_, problem, std::move(*plan));
  plans_[key] = made;
  return made;
}

std::optional<graph::ExecutionPlan> ConvPlans::remembered(const std::string& key) {
  const std::string* text = cache_.find(key);
  if (text == nullptr) return std::nullopt;
  std::optional<graph::ExecutionPlan> plan = graph::planFromJson(*text, {context_.cudnn(), nullptr});
  if (!plan || plan->workspaceBytes() > context_.options().workspaceLimit) {
    cache_.forget(key);
    return std::nullopt;
  }
  return plan;
}

std::optional<graph::ExecutionPlan> ConvPlans::choose(const graph::ConvProblem& problem, std::string& why) {
  const bool timed = context_.options().autotune;
  graph::PlanList list;
  try {
    const graph::ConvGraph graph(problem, context_.cudnn());
    list = graph::findPlans(graph, problem.geometry.type, {context_.cudnn(), nullptr}, policyOf(context_.options()),
                            timed ? kTimed : 1);
  } catch (const graph::Refusal& refusal) {
    why = refusal.what();
    return std::nullopt;
  }
  why = list.summary();
  if (list.plans.empty()) return std::nullopt;
  return std::move(list.plans[timed ? fastest(problem, list.plans) : 0]);
}

size_t ConvPlans::fastest(const graph::ConvProblem& problem, const std::vector<graph::ExecutionPlan>& plans) {
  if (plans.size() < 2) return 0;
  const ConvGeometry& g = problem.geometry;
  const size_t element = bytesPerElement(g.type);
  size_t workspace = 1;
  for (const graph::ExecutionPlan& plan : plans) workspace = std::max(workspace, plan.workspaceBytes());
  const std::string detail = "timing of " + problem.describe();
  try {
    const auto scratch = [&](int64_t elements) {
      DeviceArray array(context_, static_cast<size_t>(elements) * element, context_.holder(kTiming));
      context_.check(cudaMemsetAsync(array.data(), 0, array.bytes(), context_.stream()), "cudaMemsetAsync", detail);
      return array;
    };
    const DeviceArray x = scratch(g.n * g.h * g.w * g.c), w = scratch(g.kh * g.kw * g.cg() * g.o),
                      y = scratch(g.n * g.oh * g.ow * g.o), bias = scratch(g.o),
                      residual = problem.residual ? scratch(g.n * g.oh * g.ow * g.o) : DeviceArray();
    const DeviceArray space(context_, workspace, context_.holder(kTiming));
    const graph::Descriptor pack =
        variantPack(problem, {x.data(), w.data(), y.data(), bias.data(), residual.data(), space.data()});
    Stopwatch stopwatch(context_, detail);
    size_t best = 0;
    float bestTime = std::numeric_limits<float>::infinity();
    for (size_t i = 0; i < plans.size(); ++i) {
      cudnnStatus_t status = CUDNN_STATUS_SUCCESS;
      const auto run = [&] {
        if (status == CUDNN_STATUS_SUCCESS) {
          status = cudnnBackendExecute(context_.cudnn(), plans[i].descriptor().get(), pack.get());
        }
      };
      stopwatch.milliseconds(run);
      float time = std::numeric_limits<float>::infinity();
      for (int r = 0; r < kTimedRuns; ++r) time = std::min(time, stopwatch.milliseconds(run));
      if (status != CUDNN_STATUS_SUCCESS) {
        const cudaError_t last = cudaGetLastError();
        if (isSticky(last)) context_.check(last, "cudnnBackendExecute", detail);
        continue;
      }
      if (time < bestTime) {
        best = i;
        bestTime = time;
      }
    }
    context_.check(cudaStreamSynchronize(context_.stream()), "cudaStreamSynchronize", detail);
    return best;
  } catch (const graph::Refusal& refusal) {
    throw withSizes(context_, problem, refusal);
  } catch (const Error& error) {
    if (error.code() != "ERR_OUT_OF_MEMORY") throw;
    return 0;
  }
}

}  // namespace fovea::cuda
