#pragma once

#include <napi.h>

#include <memory>
#include <utility>
#include <vector>

#include "addon/args.h"
#include "addon/environment.h"
#include "addon/errors.h"

/**
 * @file
 * JavaScript classes over native objects. A native object type has `kName`, `classOf(Environment&)` and `finalize`.
 * Objects are made by `wrap` only and looked up in the environment's table when they come back, so that a foreign
 * `this` or argument is an error and never a crash. (Node-API's type tags do the same and cost five times as much.)
 */
namespace fovea {

/** The native object behind `value`, or null when it is none of that type. */
template <typename T>
T* unwrap(const Environment& environment, napi_value value) {
  void* object = nullptr;
  if (napi_unwrap(environment.env, value, &object) != napi_ok) return nullptr;
  return environment.objects->has(object, T::kName) ? static_cast<T*>(object) : nullptr;
}

/** The native object behind `this` of a method. */
template <typename T>
T& thisOf(const Napi::CallbackInfo& info, const char* method) {
  T* object = unwrap<T>(Environment::of(info.Env()), info.This());
  if (!object)
    refuseArgument(std::string(T::kName) + "." + method, std::string("a ") + T::kName + " as this", info.This());
  return *object;
}

/** The constructor of T's class: takes over the object that `wrap` hands it. */
template <typename T>
Napi::Value construct(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info.Env());
  std::unique_ptr<T> object(static_cast<T*>(std::exchange(environment.constructing, nullptr)));
  if (!object || !info.IsConstructCall()) {
    throw Error("ERR_ARGUMENT", std::string(T::kName) + ": cannot be constructed directly");
  }
  const auto finalize = [](napi_env env, void* data, void* table) {
    // The table may be needed after the environment's end; every object keeps it.
    const std::unique_ptr<std::shared_ptr<ObjectTable>> objects(static_cast<std::shared_ptr<ObjectTable>*>(table));
    const std::unique_ptr<T> dead(static_cast<T*>(data));
    (*objects)->remove(data);
    dead->finalize(env);
  };
  auto table = std::make_unique<std::shared_ptr<ObjectTable>>(environment.objects);
  checkStatus(info.Env(), napi_wrap(info.Env(), info.This(), object.get(), finalize, table.get(), nullptr));
  static_cast<void>(table.release());  // both are the finalizer's from now on
  environment.objects->add(object.release(), T::kName);
  return info.This();
}

/** A new JavaScript object over `object`. */
template <typename T>
Napi::Object wrap(Napi::Env env, std::unique_ptr<T> object) {
  Environment& environment = Environment::of(env);
  environment.constructing = object.get();
  const auto takeBack = [&] {
    // Taken over, unless the constructor was not called: an environment that ends calls none.
    if (std::exchange(environment.constructing, nullptr) == nullptr) return static_cast<void>(object.release());
    object->finalize(env);
  };
  try {
    const Napi::Object made = T::classOf(environment).New({});
    takeBack();
    return made;
  } catch (...) {
    takeBack();
    throw;
  }
}

/** Defines T's class with the given members and remembers its constructor. */
template <typename T>
void defineClass(Napi::Env env, const std::vector<napi_property_descriptor>& members) {
  napi_value constructor;
  checkStatus(env, napi_define_class(env, T::kName, NAPI_AUTO_LENGTH, guarded<construct<T>>, nullptr, members.size(),
                                     members.data(), &constructor));
  T::classOf(Environment::of(env)) = Napi::Persistent(Napi::Function(env, constructor));
}

template <Napi::Value (*function)(const Napi::CallbackInfo&)>
napi_property_descriptor method(const char* name) {
  return {name, nullptr, guarded<function>, nullptr, nullptr, nullptr, napi_default_method, nullptr};
}

template <Napi::Value (*function)(const Napi::CallbackInfo&)>
napi_property_descriptor getter(const char* name) {
  return {name, nullptr, nullptr, guarded<function>, nullptr, nullptr, napi_enumerable, nullptr};
}

}  // namespace fovea
