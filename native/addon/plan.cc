#include "addon/plan.h"

#include <utility>
#include <vector>

#include "addon/buffer.h"
#include "addon/plan_args.h"
#include "addon/wrap.h"
#include "plan/plan_run.h"
#include "plan/registry.h"

namespace fovea {
namespace {

std::string external(size_t i) { return "Plan.run: buffers[" + std::to_string(i) + "]"; }

/** One argument of a run, checked against what the plan expects there. */
const std::shared_ptr<DeviceMemory>& checkBuffer(const Environment& environment, const Plan& plan, size_t i,
                                                 napi_value value) {
  const BufferObject* buffer = unwrap<BufferObject>(environment, value);
  if (!buffer) refuseArgument(external(i), "a buffer", Napi::Value(environment.env, value));
  if (!buffer->memory()) throw Error("ERR_DISPOSED", external(i) + ": the buffer has been disposed");
  const ExternalDesc& expected = plan.externals()[i];
  if (buffer->dtype() != expected.dtype || buffer->size() != static_cast<size_t>(expected.size) ||
      &buffer->device() != &plan.device()) {
    refuseArgument(external(i),
                   std::string(nameOf(expected.dtype)) + " [" + std::to_string(expected.size) + "] on " +
                       plan.device().backend().info().name,
                   std::string(nameOf(buffer->dtype())) + " [" + std::to_string(buffer->size()) + "] on " +
                       buffer->device().backend().info().name);
  }
  return buffer->memory();
}

/** Throws where a buffer that the plan writes is also another of the run's buffers. */
void checkGivenOnce(DeviceMemory& memory, const Plan& plan, uint64_t run, size_t i) {
  if (memory.seenInRun == run && (plan.writes(i) || plan.writes(memory.seenAt))) {
    refuseArgument(external(i), "a buffer of its own (the plan writes it)",
                   "the same as buffers[" + std::to_string(memory.seenAt) + "]");
  }
  memory.seenInRun = run;
  memory.seenAt = i;
}

size_t toOutputsFrom(const Napi::Value& value, const Plan& plan) {
  if (value.IsUndefined()) return PlanRun::kNoOutputs;
  const size_t from = toSize(value, "Plan.run: outputsFrom");
  if (from > plan.externals().size()) {
    refuseArgument("Plan.run: outputsFrom", "at most " + std::to_string(plan.externals().size()), value);
  }
  return from;
}

/** The run that a call asks for; its buffers are in use from here on. */
std::unique_ptr<PlanRun> toRun(const Napi::CallbackInfo& info, const std::shared_ptr<Plan>& plan) {
  const Napi::Env env = info.Env();
  const Napi::Array list = toArray(info[0], "Plan.run: buffers");
  const size_t count = plan->externals().size();
  if (list.Length() != count) refuseArgument("Plan.run: buffers", std::to_string(count) + " buffers", list);
  Environment& environment = Environment::of(env);
  const uint64_t number = ++environment.lastRun;
  auto run = std::make_unique<PlanRun>(plan, toOutputsFrom(info[1], *plan));
  for (size_t i = 0; i < count; ++i) {
    napi_value value;
    checkStatus(env, napi_get_element(env, list, static_cast<uint32_t>(i), &value));
    const std::shared_ptr<DeviceMemory>& memory = checkBuffer(environment, *plan, i, value);
    checkGivenOnce(*memory, *plan, number, i);
    run->add(memory);
  }
  return run;
}

const std::shared_ptr<Plan>& planOf(const Napi::CallbackInfo& info, const char* method) {
  const PlanObject& object = thisOf<PlanObject>(info, method);
  if (!object.plan) throw Error("ERR_DISPOSED", std::string("Plan.") + method + ": the plan has been disposed");
  return object.plan;
}

/** A run whose promise waits for it. */
class RunJob : public Job {
 public:
  RunJob(std::unique_ptr<PlanRun> run, std::shared_ptr<Outbox> outbox, uint64_t id, bool profile)
      : run_(std::move(run)), outbox_(std::move(outbox)), id_(id), profile_(profile) {}
  void run(const std::atomic<bool>& stopping) noexcept override {
    auto completion = std::make_unique<Completion>();
    completion->id = id_;
    try {
      const StopSignal stop(stopping, outbox_->closed());
      if (profile_) {
        completion->profiles = run_->profile(stop);
      } else {
        run_->run(stop);
      }
    } catch (const Error& error) {
      completion->error = error;
    }
    run_->finish();  // Whoever hears of the end finds the buffers free.
    outbox_->send(std::move(completion));
  }

 private:
  const std::unique_ptr<PlanRun> run_;
  const std::shared_ptr<Outbox> outbox_;
  const uint64_t id_;
  const bool profile_;
};

Napi::Value enqueue(const Napi::CallbackInfo& info, const std::shared_ptr<Plan>& plan, bool profile) {
  std::unique_ptr<PlanRun> run = toRun(info, plan);
  Completions& completions = Environment::of(info.Env()).completions;
  uint64_t id;
  const napi_value promise = completions.expect(id);
  plan->device().engine().post(std::make_unique<RunJob>(std::move(run), completions.outbox(), id, profile));
  return Napi::Value(info.Env(), promise);
}

Napi::Value run(const Napi::CallbackInfo& info) { return enqueue(info, planOf(info, "run"), false); }

Napi::Value profile(const Napi::CallbackInfo& info) { return enqueue(info, planOf(info, "profile"), true); }

Napi::Value runSync(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Plan>& plan = planOf(info, "runSync");
  const std::unique_ptr<PlanRun> run = toRun(info, plan);
  const std::shared_ptr<Outbox>& outbox = Environment::of(info.Env()).completions.outbox();
  plan->device().call([&](const std::atomic<bool>& stopping) { run->run(StopSignal(stopping, outbox->closed())); });
  return info.Env().Undefined();
}

Napi::Value workspaceBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(planOf(info, "workspaceBytes")->workspaceBytes()));
}

Napi::Value dispose(const Napi::CallbackInfo& info) {
  thisOf<PlanObject>(info, "dispose").plan.reset();
  return info.Env().Undefined();
}

}  // namespace

void definePlanClass(Napi::Env env) {
  defineClass<PlanObject>(env, {method<run>("run"), method<runSync>("runSync"), method<profile>("profile"),
                                method<workspaceBytes>("workspaceBytes"), method<dispose>("dispose")});
}

Napi::Value createPlan(const Napi::CallbackInfo& info) {
  Device& device = Registry::instance().find(toText(info[0], "createPlan: device"));
  PlanDesc description = toPlanDesc(info[1], "createPlan: plan");
  const std::vector<Preparation> preparations = validate(description);
  // Not behind the runs that are queued: the caller, maybe the event loop, waits for it.
  auto plan = device.callSoon(
      [&](const std::atomic<bool>&) { return std::make_shared<Plan>(device, std::move(description), preparations); });
  return wrap(info.Env(), std::make_unique<PlanObject>(std::move(plan)));
}

}  // namespace fovea
