#pragma once

#include <napi.h>

#include "core/error.h"

namespace fovea {

/** A JavaScript Error that carries code, op and layer. */
Napi::Error toJs(Napi::Env env, const Error& error);

/** The exception being handled, as a JavaScript Error. To be called in a catch block. */
Napi::Error currentToJs(Napi::Env env);

/**
 * A callback for Node-API that calls `function` and turns what it throws into a JavaScript exception.
 */
template <Napi::Value (*function)(const Napi::CallbackInfo&)>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return function(Napi::CallbackInfo(env, info));
  } catch (...) {
    currentToJs(env).ThrowAsJavaScriptException();
    return nullptr;
  }
}

/** Throws the pending JavaScript exception, or an error of that status, unless `status` is ok. */
void checkStatus(napi_env env, napi_status status);

}  // namespace fovea
