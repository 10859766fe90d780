#include "addon/environment.h"

#include "addon/errors.h"
#include "plan/registry.h"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace fovea {
namespace {

bool isMainThread() {
#ifdef __linux__
  return syscall(SYS_gettid) == getpid();
#else
  return true;
#endif
}

Napi::Value stopEngines(const Napi::CallbackInfo& info) {
  Registry::instance().stopEngines();
  return info.Env().Undefined();
}

/**
 * `process.exit` ends the process without running environment hooks, while engines may be busy: they are stopped in the
 * event that comes before. (The exit handler of the registry does the same for ends that have no such event.)
 */
void stopEnginesOnExit(Napi::Env env) {
  const Napi::Object process = env.Global().Get("process").As<Napi::Object>();
  if (!process.Get("once").IsFunction()) return;
  napi_value handler;
  checkStatus(env, napi_create_function(env, "stopEngines", NAPI_AUTO_LENGTH, guarded<stopEngines>, nullptr, &handler));
  process.Get("once").As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), handler});
}

}  // namespace

Environment::Environment(Napi::Env env) : env(env), completions(env) {
  // Hooks run last in, first out: this one before the thread-safe function's own.
  checkStatus(env, napi_add_env_cleanup_hook(env, end, this));
  Registry::instance().enter();
  if (isMainThread()) stopEnginesOnExit(env);
}

void Environment::end(void* self) {
  static_cast<Environment*>(self)->completions.close();
  Registry::instance().leave();
}

}  // namespace fovea
