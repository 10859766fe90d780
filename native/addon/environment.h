#pragma once

#include <napi.h>

#include <memory>
#include <unordered_map>

#include "addon/completions.h"

namespace fovea {

/** The native objects behind an environment's JavaScript objects, each with the name of its type. */
class ObjectTable {
 public:
  void add(const void* object, const char* type) { types_.emplace(object, type); }
  void remove(const void* object) { types_.erase(object); }
  /** `type` is compared by address. */
  bool has(const void* object, const char* type) const {
    const auto found = types_.find(object);
    return found != types_.end() && found->second == type;
  }

 private:
  std::unordered_map<const void*, const char*> types_;
};

/** What the addon keeps for one environment (the main thread or a Worker). */
class Environment {
 public:
  explicit Environment(Napi::Env env);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  const Napi::Env env;
  Completions completions;
  const std::shared_ptr<ObjectTable> objects = std::make_shared<ObjectTable>();
  Napi::FunctionReference bufferClass, planClass;
  /** What the constructor that is being called takes over; null when JavaScript calls it by itself. */
  void* constructing = nullptr;
  /** Number of the last run, to find buffers that are given to it twice. */
  uint64_t lastRun = 0;

 private:
  static void end(void* self);
};

}  // namespace fovea
