#pragma once

#include <napi.h>

#include <memory>

#include "addon/environment.h"
#include "plan/device_memory.h"

namespace fovea {

/** The native object behind a NativeBuffer of addon.d.ts. */
class BufferObject {
 public:
  static constexpr const char kName[] = "Buffer";
  static Napi::FunctionReference& classOf(Environment& environment) { return environment.bufferClass; }

  BufferObject(Napi::Env env, std::shared_ptr<DeviceMemory> memory);

  DType dtype() const { return dtype_; }
  size_t size() const { return size_; }
  Device& device() const { return device_; }
  /** Null once disposed. */
  const std::shared_ptr<DeviceMemory>& memory() const { return memory_; }
  /** Lets go of the memory; jobs that use it keep it until they are done. */
  void dispose(napi_env env);
  void finalize(napi_env env) { dispose(env); }

 private:
  const DType dtype_;
  const size_t size_;
  Device& device_;
  std::shared_ptr<DeviceMemory> memory_;
};

/** Defines the class of buffers in an environment. */
void defineBufferClass(Napi::Env env);

/** A new buffer over `memory`. */
Napi::Value toJs(Napi::Env env, std::shared_ptr<DeviceMemory> memory);

/** `createBuffer(device, dtype, size, data?)` */
Napi::Value createBuffer(const Napi::CallbackInfo& info);
/** `loadBuffer(device, dtype, size, file, position)`, in load_buffer.cc. */
Napi::Value loadBuffer(const Napi::CallbackInfo& info);

}  // namespace fovea
