#include <cstring>

#include "emulator/api.h"
#include "emulator/bridge.h"
#include "emulator/memory.h"

/** @file Devices, versions and errors of the emulated runtime, and the bridge. */

using namespace fovea::emulator;  // NOLINT: this file defines the C functions of another library

extern "C" {

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = config().noDriver ? 0 : CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  return call("cudaGetDeviceCount", During::kAlways, [&](const Fault&) {
    *count = config().devices;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDevice(int* device) {
  return call("cudaGetDevice", During::kAlways, [&](const Fault&) {
    *device = Runtime::device();
    return cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int device) {
  return call("cudaSetDevice", During::kAlways, [&](const Fault&) {
    if (device < 0 || device >= config().devices) return cudaErrorInvalidDevice;
    Runtime::device() = device;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  return call("cudaDeviceGetAttribute", During::kAlways, [&](const Fault&) {
    if (!value) return cudaErrorInvalidValue;
    if (device < 0 || device >= config().devices) return cudaErrorInvalidDevice;
    switch (attribute) {
      case cudaDevAttrComputeCapabilityMajor:
        *value = config().sm / 10;
        break;
      case cudaDevAttrComputeCapabilityMinor:
        *value = config().sm % 10;
        break;
      case cudaDevAttrMultiProcessorCount:
        *value = 4;  // few, so that grid-stride loops have more than one turn
        break;
      case cudaDevAttrMaxThreadsPerBlock:
        *value = 1024;
        break;
      case cudaDevAttrMaxThreadsPerMultiProcessor:
        *value = 2048;
        break;
      case cudaDevAttrMaxSharedMemoryPerBlock:
        *value = 48 << 10;
        break;
      case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *value = config().sm >= 90 ? 227 << 10 : 64 << 10;
        break;
      case cudaDevAttrMaxGridDimX:
        *value = 2147483647;
        break;
      case cudaDevAttrWarpSize:
        *value = 32;
        break;
      case cudaDevAttrUnifiedAddressing:
      case cudaDevAttrConcurrentKernels:
      case cudaDevAttrMemoryPoolsSupported:
        *value = 1;
        break;
      default:
        *value = 0;
    }
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return call("cudaGetDeviceProperties", During::kAlways, [&](const Fault&) {
    if (!properties) return cudaErrorInvalidValue;
    if (device < 0 || device >= config().devices) return cudaErrorInvalidDevice;
    std::memset(properties, 0, sizeof *properties);
    std::snprintf(properties->name, sizeof properties->name, "Emulated sm_%d", config().sm);
    properties->totalGlobalMem = config().memory;
    properties->major = config().sm / 10;
    properties->minor = config().sm % 10;
    properties->multiProcessorCount = 4;
    properties->maxThreadsPerBlock = 1024;
    properties->maxThreadsPerMultiProcessor = 2048;
    properties->sharedMemPerBlock = 48 << 10;
    properties->sharedMemPerBlockOptin = config().sm >= 90 ? 227 << 10 : 64 << 10;
    properties->warpSize = 32;
    properties->maxGridSize[0] = 2147483647;
    properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
    properties->unifiedAddressing = 1;
    properties->concurrentKernels = 1;
    properties->memoryPoolsSupported = 1;
    properties->pciBusID = device;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceSynchronize() {
  return call("cudaDeviceSynchronize", During::kNoCapture, [&](const Fault&) {
    Runtime::instance().finishAll();
    return Runtime::instance().sticky();
  });
}

cudaError_t cudaGetLastError() {
  const std::lock_guard lock(Runtime::instance().mutex());
  const cudaError_t error = Runtime::last();
  if (!config().noDriver && !Runtime::instance().sticky()) Runtime::last() = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError() { return Runtime::last(); }

#define FOVEA_ERRORS(X)                                                                                             \
  X(cudaSuccess, "no error")                                                                                        \
  X(cudaErrorInvalidValue, "invalid argument")                                                                      \
  X(cudaErrorMemoryAllocation, "out of memory")                                                                     \
  X(cudaErrorInitializationError, "initialization error")                                                           \
  X(cudaErrorInvalidConfiguration, "invalid configuration argument")                                                \
  X(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy")                                           \
  X(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version")                    \
  X(cudaErrorInvalidDeviceFunction, "invalid device function")                                                      \
  X(cudaErrorNoDevice, "no CUDA-capable device is detected")                                                        \
  X(cudaErrorInvalidDevice, "invalid device ordinal")                                                               \
  X(cudaErrorNoKernelImageForDevice, "no kernel image is available for execution on the device")                    \
  X(cudaErrorInvalidResourceHandle, "invalid resource handle")                                                      \
  X(cudaErrorIllegalState, "the operation cannot be performed in the present state")                                \
  X(cudaErrorNotReady, "device not ready")                                                                          \
  X(cudaErrorIllegalAddress, "an illegal memory access was encountered")                                            \
  X(cudaErrorLaunchTimeout, "the launch timed out and was terminated")                                              \
  X(cudaErrorLaunchFailure, "unspecified launch failure")                                                           \
  X(cudaErrorMisalignedAddress, "misaligned address")                                                               \
  X(cudaErrorNotSupported, "operation not supported")                                                               \
  X(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing")                          \
  X(cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture")                   \
  X(cudaErrorStreamCaptureMerge, "operation would result in a merge of separate capture sequences")                 \
  X(cudaErrorStreamCaptureUnmatched, "capture was not ended in the same stream as it began")                        \
  X(cudaErrorStreamCaptureUnjoined, "capturing stream has unjoined work")                                           \
  X(cudaErrorStreamCaptureIsolation, "dependency created on uncaptured work in another stream")                     \
  X(cudaErrorStreamCaptureImplicit, "operation would make the legacy stream depend on a capturing blocking stream") \
  X(cudaErrorCapturedEvent, "operation not permitted on an event last recorded in a capturing stream")              \
  X(cudaErrorStreamCaptureWrongThread, "attempt to terminate a thread-local capture sequence from another thread")  \
  X(cudaErrorUnknown, "unknown error")

const char* cudaGetErrorString(cudaError_t error) {
#define FOVEA_TEXT(name, text) \
  if (error == name) return text;
  FOVEA_ERRORS(FOVEA_TEXT)
  return "unrecognized error code";
}

const char* cudaGetErrorName(cudaError_t error) {
#define FOVEA_NAME(name, text) \
  if (error == name) return #name;
  FOVEA_ERRORS(FOVEA_NAME)
  return "unrecognized error code";
}

cudaError_t __cudaEmuEnqueue(cudaStream_t stream, const std::function<cudaError_t()>* work) {
  const std::lock_guard lock(Runtime::instance().mutex());
  if (stream && !Runtime::instance().isStream(stream)) return cudaErrorInvalidResourceHandle;
  Runtime::instance().enqueue(stream, *work);
  return cudaSuccess;
}

cudaError_t __cudaEmuState() {
  const std::lock_guard lock(Runtime::instance().mutex());
  if (config().noDriver) return cudaErrorInsufficientDriver;
  if (config().devices == 0) return cudaErrorNoDevice;
  return Runtime::instance().sticky();
}

bool __cudaEmuIsDevice(const void* pointer, size_t bytes) {
  const std::lock_guard lock(Runtime::instance().mutex());
  const Memory::Where where = Memory::instance().find(pointer);
  return where.place == Memory::Place::kDevice && where.left >= bytes;
}

void __cudaEmuCount(const char* kind, int change) {
  const std::lock_guard lock(Runtime::instance().mutex());
  Runtime::instance().count(kind, change);
}

bool __cudaEmuForbidden() {
  const std::lock_guard lock(Runtime::instance().mutex());
  Capture* capture = Runtime::instance().forbidding();
  if (capture) capture->invalid = true;
  return capture != nullptr;
}

}  // extern "C"
