#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "cuda/context.h"
#include "cuda/graph/conv_graph.h"
#include "cuda/graph/plan.h"
#include "cuda/graph/plan_cache.h"

/** @file Which cuDNN plan a convolution runs with, and running it. */
namespace fovea::cuda {

/** Pointers of one execution; null where the problem has no such operand. */
struct ConvPointers {
  const void *x = nullptr, *w = nullptr, *y = nullptr, *bias = nullptr, *residual = nullptr;
  void* workspace = nullptr;
  bool operator==(const ConvPointers&) const = default;
};

/** The plan of one problem, shared by all kernels that have it. A plan that fails is replaced by the next that works.
 */
class ConvPlan {
 public:
  ConvPlan(Context& context, graph::ConvProblem problem, graph::ExecutionPlan plan);
  const graph::ConvProblem& problem() const { return problem_; }
  const graph::ExecutionPlan& plan() const { return plan_; }
  /** Stays what it was when the plan is replaced. */
  size_t workspaceBytes() const { return workspaceBytes_; }
  /** After `status`, another plan that needs no more workspace; throws where there is none. */
  void replace(cudnnStatus_t status);

 private:
  Context& context_;
  const graph::ConvProblem problem_;
  graph::ExecutionPlan plan_;
  const size_t workspaceBytes_;
  size_t tried_ = 1;  ///< Plans of the list that were tried.
};

/** One kernel's executions of a plan: keeps the pack of pointers from one launch to the next. */
class ConvExecution {
 public:
  explicit ConvExecution(std::shared_ptr<ConvPlan> plan) : plan_(std::move(plan)) {}
  ConvPlan& plan() const { return *plan_; }
  /** Enqueues it on the context's stream. */
  void run(Context& context, const ConvPointers& pointers);

 private:
  void pack(const ConvPointers& pointers);

  std::shared_ptr<ConvPlan> plan_;
  ConvPointers packed_;
  graph::Descriptor pack_;
};

/** Chooses plans: remembered ones, else by cuDNN's heuristics or, where asked for, by time. On the engine thread. */
class ConvPlans {
 public:
  ConvPlans(Context& context, const std::string& tuningFolder);
  /** Null when cuDNN has none; `why` then says what it tried. */
  std::shared_ptr<ConvPlan> find(const graph::ConvProblem& problem, std::string& why);

 private:
  std::optional<graph::ExecutionPlan> remembered(const std::string& key);
  std::optional<graph::ExecutionPlan> choose(const graph::ConvProblem& problem, std::string& why);
  /** The index of the fastest, or 0 when there is no memory to time them. */
  size_t fastest(const graph::ConvProblem& problem, const std::vector<graph::ExecutionPlan>& plans);

  Context& context_;
  graph::PlanCache cache_;
  std::unordered_map<std::string, std::weak_ptr<ConvPlan>> plans_;
};

graph::PlanPolicy policyOf(const Options& options);

}  // namespace fovea::cuda
