#pragma once

#include <napi.h>

#include <memory>

#include "addon/environment.h"
#include "plan/plan.h"

namespace fovea {

/** The native object behind a NativePlan of addon.d.ts. */
class PlanObject {
 public:
  static constexpr const char kName[] = "Plan";
  static Napi::FunctionReference& classOf(Environment& environment) { return environment.planClass; }

  explicit PlanObject(std::shared_ptr<Plan> plan) : plan(std::move(plan)) {}
  void finalize(napi_env) {}

  /** Null once disposed; queued runs keep it until they are done. */
  std::shared_ptr<Plan> plan;
};

/** Defines the class of plans in an environment. */
void definePlanClass(Napi::Env env);

/** `createPlan(device, plan)` */
Napi::Value createPlan(const Napi::CallbackInfo& info);

}  // namespace fovea
