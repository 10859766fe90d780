#include <cstdio>
#include <cstring>
#include <map>
#include <vector>

#include "emulator/api.h"
#include "emulator/kernels.h"

/** @file Registration and launch of kernels: what nvcc's host code calls when a library is loaded, and
 * cudaLaunchKernel. */

using namespace fovea::emulator;  // NOLINT: this file defines the C functions of another library

namespace {

/** The mangled device name of each registered host stub. */
std::map<const void*, std::string>& registered() {
  static auto* const functions = new std::map<const void*, std::string>;
  return *functions;
}

std::map<const void*, int>& sharedLimits() {
  static auto* const limits = new std::map<const void*, int>;
  return *limits;
}

constexpr size_t kSharedDefault = 48 << 10;

cudaError_t launchKernel(const Fault& fault, const void* function, dim3 grid, dim3 block, void** arguments,
                         size_t shared, cudaStream_t stream) {
  Runtime& runtime = Runtime::instance();
  if (stream && !runtime.isStream(stream)) return cudaErrorInvalidResourceHandle;
  if (grid.x == 0 || block.x == 0 || grid.x > 2147483647U) return cudaErrorInvalidConfiguration;
  if (block.x > 1024) return cudaErrorInvalidConfiguration;
  if (grid.y != 1 || grid.z != 1 || block.y != 1 || block.z != 1) return cudaErrorNotSupported;  // ours are 1-D
  const auto limit = sharedLimits().find(function);
  if (shared > (limit == sharedLimits().end() ? kSharedDefault : static_cast<size_t>(limit->second))) {
    return cudaErrorInvalidValue;
  }
  const auto name = registered().find(function);
  if (name == registered().end()) return cudaErrorInvalidDeviceFunction;
  const HostKernel* kernel = findHostKernel(functorOf(name->second));
  if (!kernel) {
    std::fprintf(stderr, "emulator: no host body for %s: kernels/all.h does not list it\n", name->second.c_str());
    return cudaErrorInvalidDeviceFunction;
  }
  // A launch takes its arguments by value, now.
  std::vector<std::max_align_t> args(kernel->argsBytes / sizeof(std::max_align_t) + 1);
  std::memcpy(args.data(), arguments[0], kernel->argsBytes);
  fovea::cuda::FaultWord* halt = nullptr;
  std::memcpy(&halt, arguments[1], sizeof halt);
  runtime.enqueue(stream, orFault(fault, [=, args = std::move(args)] {
                    kernel->run(grid.x, block.x, shared, args.data(), halt);
                    return cudaSuccess;
                  }));
  return cudaSuccess;
}

}  // namespace

extern "C" {

void** __cudaRegisterFatBinary(void*) {
  static void* handle;
  return &handle;
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
char __cudaInitModule(void**) { return 1; }

void __cudaRegisterFunction(void**, const char* hostFunction, char*, const char* deviceName, int, uint3*, uint3*, dim3*,
                            dim3*, int*) {
  registered()[hostFunction] = deviceName;
  if (!findHostKernel(functorOf(deviceName))) {
    std::fprintf(stderr, "emulator: no host body for %s: kernels/all.h does not list it\n", deviceName);
  }
}

void __cudaRegisterVar(void**, char*, char*, const char*, int, size_t, int, int) {}
unsigned __cudaPushCallConfiguration(dim3, dim3, size_t, struct CUstream_st*) { return 0; }
cudaError_t __cudaPopCallConfiguration(dim3*, dim3*, size_t*, void*) { return cudaErrorNotSupported; }

cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  *kernel = reinterpret_cast<cudaKernel_t>(const_cast<void*>(function));
  return cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments, size_t shared,
                             cudaStream_t stream) {
  return call("cudaLaunchKernel", During::kAlways, [&](const Fault& fault) {
    return launchKernel(fault, function, grid, block, arguments, shared, stream);
  });
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments, size_t shared,
                               cudaStream_t stream) {
  return cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, arguments, shared, stream);
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  return call("cudaFuncSetAttribute", During::kAlways, [&](const Fault&) {
    if (!registered().contains(function)) return cudaErrorInvalidDeviceFunction;
    if (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize) {
      if (value > (config().sm >= 90 ? 227 << 10 : 64 << 10)) return cudaErrorInvalidValue;
      sharedLimits()[function] = value;
    }
    return cudaSuccess;
  });
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
  return call("cudaFuncGetAttributes", During::kAlways, [&](const Fault&) {
    if (!attributes) return cudaErrorInvalidValue;
    if (!registered().contains(function)) return cudaErrorInvalidDeviceFunction;
    *attributes = {};
    attributes->maxThreadsPerBlock = 1024;
    return cudaSuccess;
  });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* function, int threads, size_t) {
  return call("cudaOccupancy", During::kAlways, [&](const Fault&) {
    if (!blocks || threads <= 0) return cudaErrorInvalidValue;
    if (!registered().contains(function)) return cudaErrorInvalidDeviceFunction;
    *blocks = 2048 / threads;
    return cudaSuccess;
  });
}

}  // extern "C"
