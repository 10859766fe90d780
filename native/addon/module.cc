#include <napi.h>

#include "addon/args.h"
#include "addon/buffer.h"
#include "addon/environment.h"
#include "addon/plan.h"
#include "addon/wrap.h"
#include "plan/kernel_table.h"
#include "plan/registry.h"
#include "plan/threads.h"

/**
 * @file
 * The addon's entry: exactly the members of lib/backends/native/addon.d.ts.
 */
namespace fovea {
namespace {

Napi::Value strings(Napi::Env env, const std::vector<std::string>& list) {
  Napi::Array array = Napi::Array::New(env, list.size());
  for (size_t i = 0; i < list.size(); ++i) array.Set(static_cast<uint32_t>(i), list[i]);
  return array;
}

Napi::Value deviceInfo(Napi::Env env, const DeviceInfo& info) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", info.name);
  object.Set("kind", info.kind);
  object.Set("description", info.description);
  object.Set("memoryBytes", static_cast<double>(info.memoryBytes));
  object.Set("capabilities", strings(env, info.capabilities));
  return object;
}

Napi::Value devices(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array present = Napi::Array::New(env), missing = Napi::Array::New(env);
  for (Device* device : Registry::instance().present()) {
    present.Set(present.Length(), deviceInfo(env, device->backend().info()));
  }
  for (const MissingDevice& device : Registry::instance().missing()) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", device.name);
    object.Set("reason", device.reason);
    object.Set("remedy", device.remedy);
    missing.Set(missing.Length(), object);
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("present", present);
  result.Set("missing", missing);
  return result;
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  Device& device = Registry::instance().find(toText(info[0], "memory: device"));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("bytes", static_cast<double>(device.ledger().bytes()));
  result.Set("peakBytes", static_cast<double>(device.ledger().peakBytes()));
  result.Set("buffers", static_cast<double>(device.bufferCount()));
  result.Set("arenaBytes", static_cast<double>(device.arenaBytes()));
  return result;
}

Napi::Value setMemoryLimit(const Napi::CallbackInfo& info) {
  Device& device = Registry::instance().find(toText(info[0], "setMemoryLimit: device"));
  device.ledger().setLimit(toSize(info[1], "setMemoryLimit: bytes"));
  return info.Env().Undefined();
}

Napi::Value setThreads(const Napi::CallbackInfo& info) {
  constexpr int64_t kMost = 1024;
  const int64_t count = toInteger(info[0], "setThreads: count");
  if (count < 1 || count > kMost) refuseArgument("setThreads: count", "1 to 1024", info[0]);
  setComputeThreads(static_cast<int>(count));
  return info.Env().Undefined();
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment(env));
  defineBufferClass(env);
  definePlanClass(env);
  exports.Set("kernels", strings(env, kernelNames()));
  exports.Set("version", FOVEA_VERSION);
  const std::vector<napi_property_descriptor> functions = {
      method<devices>("devices"),       method<createBuffer>("createBuffer"),
      method<loadBuffer>("loadBuffer"), method<createPlan>("createPlan"),
      method<memory>("memory"),         method<setMemoryLimit>("setMemoryLimit"),
      method<setThreads>("setThreads"),
  };
  // Enumerable, as the members of any module are.
  for (napi_property_descriptor function : functions) {
    function.attributes = napi_default_jsproperty;
    checkStatus(env, napi_define_properties(env, exports, 1, &function));
  }
  return exports;
}

}  // namespace
}  // namespace fovea

namespace {
Napi::Object Init(Napi::Env env, Napi::Object exports) { return fovea::initialize(env, exports); }
}  // namespace

NODE_API_MODULE(fovea, Init)
