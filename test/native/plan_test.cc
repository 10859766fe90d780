#include "plan/plan.h"

#include <cmath>
#include <limits>
#include <thread>

#include "native/fixtures.h"
#include "native/testing.h"

namespace fovea::test {
namespace {

void runsSteps() {
  PlanDesc description = externalsPlan(2, 3, {unary("square", 0, 2), unary("neg", 2, 2), unary("identity", 2, 1)});
  description.arenaBytes = 64;
  description.storages.push_back({StorageDesc::Kind::kArena, 0, 0, 64});
  description.slots.push_back({2, {DType::kFloat32, {3}}});
  const auto plan = prepare(std::move(description));
  check(!plan->writes(0) && plan->writes(1));
  const auto x = floats({1, 2, 3}), y = floats({0, 0, 0});
  run(plan, {x, y});
  check(contents(*y) == std::vector<float>({-1, -4, -9}));
}

void sharesArena() {
  const auto make = [](int64_t bytes) {
    PlanDesc description = externalsPlan(1, 3, {unary("square", 0, 0)});
    description.arenaBytes = bytes;
    return prepare(std::move(description));
  };
  check(cpu().arenaBytes() == 0, "no plan, no arena");
  auto small = make(1 << 16);
  check(cpu().arenaBytes() == 1 << 16);
  auto large = make(1 << 20);
  check(cpu().arenaBytes() == 1 << 20, "one arena for both");
  large.reset();
  run(small, {floats({1, 2, 3})});
  small.reset();
  check(cpu().arenaBytes() == 0, "given back with the last plan");
}

void outOfMemoryLeavesPlansUsable() {
  PlanDesc description = externalsPlan(1, 3, {unary("square", 0, 0)});
  description.arenaBytes = 1 << 16;
  const auto plan = prepare(description);
  cpu().ledger().setLimit(cpu().ledger().bytes() + (1 << 16));
  description.arenaBytes = 1 << 24;
  const Error error = errorOf([&] { prepare(description); });
  cpu().ledger().setLimit(0);
  check(error.code() == "ERR_OUT_OF_MEMORY");
  const auto x = floats({3, 0, 0});
  run(plan, {x});
  check(contents(*x)[0] == 9);
}

void namesTheStep() {
  PlanDesc description = singleStep("sparseSoftmaxCrossEntropy", {}, {{DType::kFloat32, {2, 2}}, {DType::kInt32, {2}}},
                                    {{DType::kFloat32, {2}}});
  description.steps[0].op = "loss";
  description.steps[0].layer = "head/loss";
  const auto plan = prepare(std::move(description));
  const int32_t labels[] = {0, 5};
  const auto bad = std::make_shared<DeviceMemory>(cpu(), DType::kInt32, 2, labels);
  const auto logits = floats({0, 0, 0, 0}), out = floats({0, 0}), next = floats({0, 0});
  const Error error = errorOf([&] { run(plan, {logits, bad, out}, 2); });
  check(error.op == "loss" && error.layer == "head/loss");
  check(contains(error.what(), "loss \"head/loss\": "), error.what());
  check(out->failure != nullptr && logits->failure == nullptr, "outputs only are marked");

  const auto square = prepare(externalsPlan(2, 2, {unary("square", 0, 1)}));
  const Error later = errorOf([&] { run(square, {out, next}, 1); });
  check(std::string(later.what()) == error.what() && next->failure != nullptr, "failure is handed on");
  run(square, {logits, next}, 1);
  check(next->failure == nullptr, "a good run heals");
}

void stopsBetweenSteps() {
  const auto plan = prepare(externalsPlan(1, 3, {unary("square", 0, 0)}));
  const std::atomic<bool> gone{true}, no{false};
  const auto x = floats({2, 2, 2});
  PlanRun run(plan, PlanRun::kNoOutputs);
  run.add(x);
  errorOf([&] { cpu().call([&](const std::atomic<bool>&) { run.run(StopSignal(no, gone)); }); });
  check(contents(*x)[0] == 2, "nothing ran");
}

void preparesDuringARun() {
  const int64_t size = 1 << 18;
  const auto plan = prepare(externalsPlan(1, size, std::vector<StepDesc>(2000, unary("tanh", 0, 0))));
  std::atomic<bool> done{false}, gone{false};
  const auto x = floats(std::vector<float>(size, 0.5f)), y = floats({2, 2, 2});
  std::thread runner([&] {
    PlanRun run(plan, PlanRun::kNoOutputs);
    run.add(x);
    try {
      cpu().call([&](const std::atomic<bool>& stopping) { run.run(StopSignal(stopping, gone)); });
    } catch (const Error&) {  // stopped below
    }
    done = true;
  });
  while (!cpu().arenaLeased()) std::this_thread::yield();
  PlanDesc description = externalsPlan(1, 3, {unary("square", 0, 0)});
  description.arenaBytes = 1 << 16;
  const std::vector<Preparation> preparations = validate(description);
  const auto second = cpu().callSoon(
      [&](const std::atomic<bool>&) { return std::make_shared<Plan>(cpu(), std::move(description), preparations); });
  const bool early = !done;
  gone = true;
  runner.join();
  check(early, "prepared while the first plan runs");
  run(second, {y});
  check(contents(*y)[0] == 4 && cpu().arenaBytes() >= 1 << 16, "and runs after it");
}

void profiles() {
  const auto plan = prepare(externalsPlan(1, 256, {unary("square", 0, 0), unary("tanh", 0, 0)}));
  PlanRun run(plan, PlanRun::kNoOutputs);
  run.add(floats(std::vector<float>(256)));
  const auto steps = cpu().call([&](const std::atomic<bool>&) { return run.profile(running()); });
  check(steps.size() == 2 && steps[1].op == "tanh" && steps[1].bytes == 2048 && !steps[1].implementation.empty());
}

void countsUses() {
  const auto x = floats({1});
  check(!x->busy());
  {
    const DeviceMemory::Use first(x);
    DeviceMemory::Use second(x);
    const DeviceMemory::Use moved(std::move(second));
    check(x->busy());
  }
  check(!x->busy());
}

}  // namespace

std::vector<Test> planTests() {
  return {
      {"plan: runs its steps in order", runsSteps},
      {"plan: all plans share one arena", sharesArena},
      {"plan: one that finds no memory leaves the others usable", outOfMemoryLeavesPlansUsable},
      {"plan: a failing step is named, and its outputs marked", namesTheStep},
      {"plan: stops between steps when its owner is gone", stopsBetweenSteps},
      {"plan: another is prepared between two steps of a running one", preparesDuringARun},
      {"plan: profiles every step", profiles},
      {"plan: memory knows whether a run uses it", countsUses},
  };
}

}  // namespace fovea::test
