#include "plan/validate.h"

#include "native/fixtures.h"
#include "native/testing.h"
#include "plan/kernel_table.h"

namespace fovea::test {
namespace {

/** exp of external 0 into the arena, tanh there in place, a copy to external 1. */
PlanDesc goodPlan() {
  PlanDesc plan = externalsPlan(2, 100, {unary("exp", 0, 2), unary("tanh", 2, 2)});
  plan.arenaBytes = 1024;
  plan.storages.push_back({StorageDesc::Kind::kArena, 0, 64, 448});
  plan.slots.push_back({2, {DType::kFloat32, {10, 10}}});
  plan.slots[0].tensor.dims = {10, 10};
  StepDesc copy;
  copy.kernel = copy.op = "copy";
  copy.inputs = {2};
  copy.outputs = {1};
  plan.slots[1].tensor.dims = {10, 10};
  plan.steps.push_back(copy);
  return plan;
}

/** exp of `size` elements of a buffer of 100, from element `from` on, into as many from element `to` on. */
PlanDesc partsPlan(int64_t from, int64_t size, int64_t to) {
  PlanDesc plan = externalsPlan(1, 100, {unary("exp", 0, 1)});
  plan.storages = {};
  plan.slots = {};
  for (int64_t first : {from, to}) {
    StorageDesc part;
    part.first = first, part.size = size;
    plan.storages.push_back(part);
    plan.slots.push_back({static_cast<int64_t>(plan.slots.size()), {DType::kFloat32, {size}}});
  }
  return plan;
}

Test refuses(const std::string& what, const std::string& part, void (*spoil)(PlanDesc&)) {
  return {"validate: refuses " + what, [part, spoil] {
            PlanDesc plan = goodPlan();
            spoil(plan);
            const Error error = errorOf([&] { validate(plan); });
            check(contains(error.what(), part), error.what());
          }};
}

}  // namespace

std::vector<Test> validateTests() {
  return {
      {"validate: accepts a good plan", [] { check(validate(goodPlan()).size() == 3); }},
      {"validate: accepts an empty plan", [] { check(validate(PlanDesc{}).empty()); }},
      {"validate: the table has the kernels of Backend",
       [] {
         check(kernelNames().size() == 35, std::to_string(kernelNames().size()));
         for (const std::string& name : kernelNames()) check(findKernel(name) != nullptr);
       }},
      refuses("negative arena bytes", "arenaBytes", [](PlanDesc& p) { p.arenaBytes = -1; }),
      refuses("an arena range past the end", "storages[2]", [](PlanDesc& p) { p.arenaBytes = 448; }),
      refuses("an offset that is not aligned", "multiple of 64", [](PlanDesc& p) { p.storages[2].offset = 8; }),
      refuses("an offset that overflows", "within arenaBytes",
              [](PlanDesc& p) { p.storages[2].offset = INT64_MAX - 63; }),
      refuses("bytes that overflow", "within arenaBytes", [](PlanDesc& p) { p.storages[2].bytes = INT64_MAX; }),
      refuses("a missing external", "storages[1].index", [](PlanDesc& p) { p.externals.pop_back(); }),
      refuses("a slot on no storage", "slots[2].storage", [](PlanDesc& p) { p.slots[2].storage = 3; }),
      refuses("a shape that overflows", "2^47",
              [](PlanDesc& p) {
                p.slots[2].tensor.dims = {INT64_MAX, INT64_MAX, 0, INT64_MAX};
              }),
      refuses("a step on no slot", "exp \"test\": inputs[0]", [](PlanDesc& p) { p.steps[0].inputs[0] = 7; }),
      refuses("a partial overlap in place", "exp \"test\": output 0 overlaps input 0",
              [](PlanDesc& p) {
                p.storages.push_back({StorageDesc::Kind::kArena, 0, 128, 448});
                p.slots.push_back({3, {DType::kFloat32, {100}}});
                p.steps.insert(p.steps.begin() + 1, unary("exp", 2, 3));
              }),
      refuses("another size in place", "tanh \"test\": output 0 overlaps input 0",
              [](PlanDesc& p) {
                p.slots.push_back({2, {DType::kFloat32, {1, 10}}});
                p.steps[0].outputs[0] = 3;
                p.steps[1].inputs[0] = 3;
              }),
      {"validate: accepts updates of parts of a buffer", [] { check(validate(partsPlan(0, 64, 0)).size() == 1); }},
      {"validate: accepts a part beside the one it is made of", [] { check(validate(partsPlan(0, 32, 32)).size() == 1); }},
      {"validate: refuses a part past the end",
       [] { check(contains(errorOf([] { validate(partsPlan(64, 64, 0)); }).what(), "storages[0]")); }},
      {"validate: refuses a part off the lines",
       [] { check(contains(errorOf([] { validate(partsPlan(8, 32, 0)); }).what(), "storages[0].first")); }},
      {"validate: refuses a part half over the one it is made of",
       [] { check(contains(errorOf([] { validate(partsPlan(0, 64, 32)); }).what(), "output 0 overlaps input 0")); }},
      refuses("a read of what was never written", "holds no value",
              [](PlanDesc& p) { p.steps.erase(p.steps.begin()); }),
  };
}

}  // namespace fovea::test
