#include <algorithm>
#include <cstring>
#include <memory>

#include "emulator/api.h"
#include "emulator/memory.h"

/** @file Memory of the emulated runtime: allocation and copies. */

using namespace fovea::emulator;  // NOLINT: this file defines the C functions of another library
using Place = Memory::Place;

namespace {

bool onDevice(const Memory::Where& where) { return where.place == Place::kDevice; }

/** Whether `bytes` fit behind the pointer, as far as that is known. */
bool holds(const Memory::Where& where, size_t bytes) { return where.place == Place::kPageable || where.left >= bytes; }

/** The real library looks at the direction although it could find it out. */
cudaError_t checkCopy(const void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  if (bytes == 0) return cudaSuccess;
  if (!to || !from) return cudaErrorInvalidValue;
  const Memory::Where target = Memory::instance().find(to), source = Memory::instance().find(from);
  if (!holds(target, bytes) || !holds(source, bytes)) return cudaErrorInvalidValue;
  const bool toDevice = onDevice(target), fromDevice = onDevice(source);
  switch (kind) {
    case cudaMemcpyHostToHost:
      return toDevice || fromDevice ? cudaErrorInvalidValue : cudaSuccess;
    case cudaMemcpyHostToDevice:
      return toDevice && !fromDevice ? cudaSuccess : cudaErrorInvalidValue;
    case cudaMemcpyDeviceToHost:
      return !toDevice && fromDevice ? cudaSuccess : cudaErrorInvalidValue;
    case cudaMemcpyDeviceToDevice:
      return toDevice && fromDevice ? cudaSuccess : cudaErrorInvalidValue;
    case cudaMemcpyDefault:
      return cudaSuccess;
    default:
      return cudaErrorInvalidMemcpyDirection;
  }
}

/** Checks again when it runs: the memory may have been freed in the meantime. */
cudaError_t copyNow(void* to, const void* from, size_t bytes) {
  if (!holds(Memory::instance().find(to), bytes) || !holds(Memory::instance().find(from), bytes)) {
    return cudaErrorIllegalAddress;
  }
  std::memmove(to, from, bytes);
  return cudaSuccess;
}

}  // namespace

extern "C" {

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  return call("cudaMalloc", During::kNoCapture, [&](const Fault&) {
    if (!pointer) return cudaErrorInvalidValue;
    *pointer = Memory::instance().allocate(Runtime::device(), bytes);
    return *pointer || bytes == 0 ? cudaSuccess : cudaErrorMemoryAllocation;
  });
}

cudaError_t cudaFree(void* pointer) {
  return call("cudaFree", During::kNoCapture, [&](const Fault&) {
    if (!pointer) return cudaSuccess;
    Runtime::instance().finishAll();
    return Memory::instance().free(pointer) ? cudaSuccess : cudaErrorInvalidValue;
  });
}

cudaError_t cudaMemGetInfo(size_t* available, size_t* total) {
  return call("cudaMemGetInfo", During::kAlways, [&](const Fault&) {
    *total = config().memory;
    *available = *total - Memory::instance().used(Runtime::device());
    return cudaSuccess;
  });
}

cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned) {
  return call("cudaHostAlloc", During::kNoCapture, [&](const Fault&) {
    if (!pointer) return cudaErrorInvalidValue;
    *pointer = Memory::instance().allocatePinned(bytes);
    return *pointer ? cudaSuccess : cudaErrorMemoryAllocation;
  });
}

cudaError_t cudaMallocHost(void** pointer, size_t bytes) { return cudaHostAlloc(pointer, bytes, 0); }

cudaError_t cudaFreeHost(void* pointer) {
  return call("cudaFreeHost", During::kNoCapture, [&](const Fault&) {
    if (!pointer) return cudaSuccess;
    Runtime::instance().finishAll();
    return Memory::instance().freePinned(pointer) ? cudaSuccess : cudaErrorInvalidValue;
  });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  return call("cudaPointerGetAttributes", During::kAlways, [&](const Fault&) {
    if (!attributes) return cudaErrorInvalidValue;
    const Memory::Where where = Memory::instance().find(pointer);
    *attributes = {};
    attributes->type = where.place == Place::kDevice   ? cudaMemoryTypeDevice
                       : where.place == Place::kPinned ? cudaMemoryTypeHost
                                                       : cudaMemoryTypeUnregistered;
    attributes->device = where.device;
    return cudaSuccess;
  });
}

// Waits for blocking streams only, as the legacy stream does: a copy that ought to have waited for a stream of the
// non-blocking kind finds old data here.
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  return call("cudaMemcpy", During::kAlways, [&](const Fault& fault) {
    if (Capture* capture = Runtime::instance().forbidding()) {
      capture->invalid = true;
      return cudaErrorStreamCaptureImplicit;
    }
    if (const cudaError_t error = checkCopy(to, from, bytes, kind)) return error;
    Runtime::instance().enqueue(nullptr, orFault(fault, [=] { return copyNow(to, from, bytes); }));
    return Runtime::instance().sticky();
  });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return call("cudaMemcpyAsync", During::kAlways, [&](const Fault& fault) {
    Runtime& runtime = Runtime::instance();
    if (stream && !runtime.isStream(stream)) return cudaErrorInvalidResourceHandle;
    if (const cudaError_t error = checkCopy(to, from, bytes, kind)) return error;
    if (bytes == 0) return cudaSuccess;
    const bool capturing = stream && stream->capture;
    if (!capturing && Memory::instance().find(from).place == Place::kPageable) {
      // From pageable memory the bytes are taken before the call returns.
      const auto copy =
          std::make_shared<std::vector<char>>(static_cast<const char*>(from), static_cast<const char*>(from) + bytes);
      runtime.enqueue(stream, orFault(fault, [=] { return copyNow(to, copy->data(), bytes); }));
      return cudaSuccess;
    }
    runtime.enqueue(stream, orFault(fault, [=] { return copyNow(to, from, bytes); }));
    if (!capturing && stream && Memory::instance().find(to).place == Place::kPageable) {
      runtime.finish(stream);  // into pageable memory the call waits
      return runtime.sticky();
    }
    return cudaSuccess;
  });
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  return call("cudaMemsetAsync", During::kAlways, [&](const Fault& fault) {
    Runtime& runtime = Runtime::instance();
    if (stream && !runtime.isStream(stream)) return cudaErrorInvalidResourceHandle;
    if (bytes == 0) return cudaSuccess;
    const Memory::Where where = Memory::instance().find(to);
    if (!onDevice(where) || where.left < bytes) return cudaErrorInvalidValue;
    runtime.enqueue(stream, orFault(fault, [=] {
                      if (!holds(Memory::instance().find(to), bytes)) return cudaErrorIllegalAddress;
                      std::memset(to, value, bytes);
                      return cudaSuccess;
                    }));
    return cudaSuccess;
  });
}

cudaError_t cudaMemset(void* to, int value, size_t bytes) { return cudaMemsetAsync(to, value, bytes, nullptr); }

}  // extern "C"
