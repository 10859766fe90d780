#include "native/fixtures.h"

#include <cstring>
#include <utility>

#include "plan/registry.h"
#include "plan/validate.h"

namespace fovea::test {

Device& cpu() { return Registry::instance().find("cpu"); }

StopSignal running() {
  static const std::atomic<bool> never{false};
  return StopSignal(never, never);
}

PlanDesc singleStep(const std::string& kernel, const Attributes& attributes, const std::vector<TensorDesc>& inputs,
                    const std::vector<TensorDesc>& outputs) {
  PlanDesc plan;
  StepDesc step;
  step.kernel = step.op = kernel;
  step.attributes = attributes;
  for (const auto* list : {&inputs, &outputs}) {
    for (const TensorDesc& tensor : *list) {
      const int64_t i = static_cast<int64_t>(plan.slots.size());
      plan.externals.push_back({tensor.dtype, tensor.size()});
      plan.storages.push_back({StorageDesc::Kind::kExternal, i});
      plan.slots.push_back({i, tensor});
      (list == &inputs ? step.inputs : step.outputs).push_back(i);
    }
  }
  plan.steps.push_back(std::move(step));
  return plan;
}

StepDesc unary(const std::string& opcode, int64_t input, int64_t output) {
  StepDesc step;
  step.kernel = "elementwise";
  step.op = opcode;
  step.layer = "test";
  step.attributes = {{"compute", std::string("float")},
                     {"opcodes", std::vector<std::string>{opcode}},
                     {"args", std::vector<double>{0, -1, -1}},
                     {"params", std::vector<double>{0, 0}},
                     {"results", std::vector<double>{1}}};
  step.inputs = {input};
  step.outputs = {output};
  return step;
}

PlanDesc externalsPlan(size_t count, int64_t size, std::vector<StepDesc> steps) {
  PlanDesc plan;
  for (size_t i = 0; i < count; ++i) {
    plan.externals.push_back({DType::kFloat32, size});
    plan.storages.push_back({StorageDesc::Kind::kExternal, static_cast<int64_t>(i)});
    plan.slots.push_back({static_cast<int64_t>(i), {DType::kFloat32, {size}}});
  }
  plan.steps = std::move(steps);
  return plan;
}

std::shared_ptr<Plan> prepare(PlanDesc description) {
  const std::vector<Preparation> preparations = validate(description);
  return cpu().call(
      [&](const std::atomic<bool>&) { return std::make_shared<Plan>(cpu(), std::move(description), preparations); });
}

std::shared_ptr<DeviceMemory> floats(const std::vector<float>& values) {
  return std::make_shared<DeviceMemory>(cpu(), DType::kFloat32, values.size(), values.data());
}

std::vector<float> contents(const DeviceMemory& memory) {
  std::vector<float> values(memory.size());
  if (!values.empty()) std::memcpy(values.data(), memory.data(), memory.bytes());
  return values;
}

void run(const std::shared_ptr<Plan>& plan, const std::vector<std::shared_ptr<DeviceMemory>>& buffers,
         size_t outputsFrom) {
  PlanRun run(plan, outputsFrom);
  for (const auto& buffer : buffers) run.add(buffer);
  cpu().call([&](const std::atomic<bool>&) { run.run(running()); });
}

}  // namespace fovea::test
