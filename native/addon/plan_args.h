#pragma once

#include <napi.h>

#include <string>

#include "plan/plan_desc.h"

namespace fovea {

/** A PlanDescription of lib/backends/backend.ts; errors name the field: `createPlan: plan.steps[3].kernel`. */
PlanDesc toPlanDesc(const Napi::Value& value, const std::string& name);

}  // namespace fovea
