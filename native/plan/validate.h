#pragma once

#include <vector>

#include "core/error.h"
#include "plan/kernel_table.h"
#include "plan/plan_desc.h"

namespace fovea {

/**
 * Checks a description wholly, before anything is prepared or run: storages, slots, external sizes, kernel names,
 * operand counts, attributes, overlaps within a step, reads of arena ranges that nothing has written. Throws
 * fovea::Error with op and layer where a step is at fault.
 *
 * @return how to prepare each step, in order
 */
std::vector<Preparation> validate(const PlanDesc& plan);

/** Throws `error` again, with the step's op and layer in its text and fields. */
[[noreturn]] void rethrowFor(const StepDesc& step, const Error& error);

}  // namespace fovea
