#include "addon/errors.h"

#include <exception>
#include <new>

namespace fovea {

Napi::Error toJs(Napi::Env env, const Error& error) {
  Napi::Error js = Napi::Error::New(env, error.what());
  js.Value().Set("code", error.code());
  if (!error.op.empty()) js.Value().Set("op", error.op);
  if (!error.layer.empty()) js.Value().Set("layer", error.layer);
  return js;
}

Napi::Error currentToJs(Napi::Env env) {
  try {
    throw;
  } catch (const Napi::Error& error) {
    return error;
  } catch (const Error& error) {
    return toJs(env, error);
  } catch (const std::bad_alloc&) {
    return toJs(env, Error("ERR_OUT_OF_MEMORY", "out of host memory"));
  } catch (const std::exception& error) {
    return toJs(env, Error("ERR_EXECUTION", error.what()));
  }
}

void checkStatus(napi_env env, napi_status status) {
  if (status != napi_ok) throw Napi::Error::New(env);
}

}  // namespace fovea
