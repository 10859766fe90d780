#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "addon/args.h"
#include "addon/environment.h"
#include "addon/errors.h"

/**
 * @file
 * JavaScript classes over native objects. A native object type has `kName`, `kTag` (its Node-API type tag) and
 * `classOf(Environment&)`. Objects are made by `wrap` only and recognised by their tag, so that a foreign `this` or
 * argument is an error and never a crash.
 */
namespace fovea {

/** The native object behind `value`, or null when it is none of that type. */
template <typename T>
T* unwrap(napi_env env, napi_value value) {
  bool tagged = false;
  void* object = nullptr;
  if (napi_check_object_type_tag(env, value, &T::kTag, &tagged) != napi_ok || !tagged ||
      napi_unwrap(env, value, &object) != napi_ok) {
    // Not an object: clears nothing, but leaves no exception behind either.
    return nullptr;
  }
  return static_cast<T*>(object);
}

/** The native object behind `this` of a method. */
template <typename T>
T& thisOf(const Napi::CallbackInfo& info, const char* method) {
  T* object = unwrap<T>(info.Env(), info.This());
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
  const auto finalize = [](napi_env env, void* data, void*) {
    const std::unique_ptr<T> dead(static_cast<T*>(data));
    dead->finalize(env);
  };
  checkStatus(info.Env(), napi_wrap(info.Env(), info.This(), object.get(), finalize, nullptr, nullptr));
  static_cast<void>(object.release());  // the finalizer's from now on
  checkStatus(info.Env(), napi_type_tag_object(info.Env(), info.This(), &T::kTag));
  return info.This();
}

/** A new JavaScript object over `object`. */
template <typename T>
Napi::Object wrap(Napi::Env env, std::unique_ptr<T> object) {
  Environment& environment = Environment::of(env);
  environment.constructing = object.release();
  return T::classOf(environment).New({});
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
