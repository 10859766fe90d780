#include "addon/completions.h"

#include <utility>

#include "addon/buffer.h"
#include "addon/errors.h"

namespace fovea {
namespace {

Napi::Value toJs(Napi::Env env, const std::vector<StepProfile>& profiles) {
  Napi::Array list = Napi::Array::New(env, profiles.size());
  for (size_t i = 0; i < profiles.size(); ++i) {
    const StepProfile& p = profiles[i];
    Napi::Object step = Napi::Object::New(env);
    step.Set("kernel", p.kernel);
    step.Set("implementation", p.implementation);
    step.Set("op", p.op);
    step.Set("layer", p.layer);
    step.Set("milliseconds", p.milliseconds);
    step.Set("bytes", p.bytes);
    list.Set(static_cast<uint32_t>(i), step);
  }
  return list;
}

}  // namespace

void Outbox::send(std::unique_ptr<Completion> completion) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  // On success the queue owns it, until Completions::deliver.
  if (napi_call_threadsafe_function(function_, completion.get(), napi_tsfn_nonblocking) == napi_ok) {
    static_cast<void>(completion.release());
  }
}

void Outbox::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
}

Completions::Completions(napi_env env) : env_(env) {
  const Napi::String name = Napi::String::New(env, "fovea");
  checkStatus(env, napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, deliver,
                                                   &function_));
  checkStatus(env, napi_unref_threadsafe_function(env, function_));
  outbox_ = std::make_shared<Outbox>(function_);
}

napi_value Completions::expect(uint64_t& id, napi_value result) {
  Pending pending{nullptr, nullptr};
  napi_value promise;
  checkStatus(env_, napi_create_promise(env_, &pending.deferred, &promise));
  if (result) checkStatus(env_, napi_create_reference(env_, result, 1, &pending.result));
  if (pending_.empty()) checkStatus(env_, napi_ref_threadsafe_function(env_, function_));
  id = ++lastId_;
  pending_.emplace(id, pending);
  return promise;
}

void Completions::deliver(napi_env env, napi_value, void* context, void* data) {
  const std::unique_ptr<Completion> completion(static_cast<Completion*>(data));
  if (env) static_cast<Completions*>(context)->settle(*completion);
}

void Completions::settle(Completion& completion) {
  const auto found = pending_.find(completion.id);
  if (found == pending_.end()) return;
  const Pending pending = found->second;
  pending_.erase(found);
  if (pending_.empty()) napi_unref_threadsafe_function(env_, function_);

  const Napi::HandleScope scope(env_);
  napi_value value = Napi::Env(env_).Undefined();
  if (pending.result) {
    napi_get_reference_value(env_, pending.result, &value);
    napi_delete_reference(env_, pending.result);
  }
  try {
    if (completion.error) {
      napi_reject_deferred(env_, pending.deferred, fovea::toJs(env_, *completion.error).Value());
      return;
    }
    if (completion.profiles) value = toJs(env_, *completion.profiles);
    if (completion.memory) value = toJs(env_, std::move(completion.memory));
    napi_resolve_deferred(env_, pending.deferred, value);
  } catch (const Napi::Error& error) {
    napi_reject_deferred(env_, pending.deferred, error.Value());
  }
}

void Completions::close() {
  outbox_->close();
  napi_release_threadsafe_function(function_, napi_tsfn_abort);
}

}  // namespace fovea
