#pragma once

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "plan/device.h"
#include "plan/plan.h"
#include "plan/plan_run.h"

namespace fovea::test {

/** The CPU device, one for all tests. */
Device& cpu();

/** A stop signal that nobody raises. */
StopSignal running();

/** A plan of one step, each operand a buffer of its own: what `run(kernel, attributes, buffers)` would make. */
PlanDesc singleStep(const std::string& kernel, const Attributes& attributes, const std::vector<TensorDesc>& inputs,
                    const std::vector<TensorDesc>& outputs);

/** An elementwise step of one opcode. */
StepDesc unary(const std::string& opcode, int64_t input, int64_t output);

/** A plan over float32 externals of `size` elements, slot i on external i. */
PlanDesc externalsPlan(size_t count, int64_t size, std::vector<StepDesc> steps);

/** Validates and prepares on the engine thread. */
std::shared_ptr<Plan> prepare(PlanDesc description);

std::shared_ptr<DeviceMemory> floats(const std::vector<float>& values);
std::vector<float> contents(const DeviceMemory& memory);

/** Runs on the engine thread and waits. */
void run(const std::shared_ptr<Plan>& plan, const std::vector<std::shared_ptr<DeviceMemory>>& buffers,
         size_t outputsFrom = PlanRun::kNoOutputs);

/** The error `body` throws; fails where it throws none. */
template <typename Body>
Error errorOf(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("expected an error");
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace fovea::test
