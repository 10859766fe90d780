#pragma once

#include <napi.h>

#include "addon/completions.h"

namespace fovea {

/** What the addon keeps for one environment (the main thread or a Worker). */
class Environment {
 public:
  explicit Environment(Napi::Env env);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  Completions completions;
  Napi::FunctionReference bufferClass, planClass;
  /** What the constructor that is being called takes over; null when JavaScript calls it by itself. */
  void* constructing = nullptr;
  /** Number of the last run, to find buffers that are given to it twice. */
  uint64_t lastRun = 0;

 private:
  static void end(void* self);
};

}  // namespace fovea
