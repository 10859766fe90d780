#include "cpu/backend.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "cpu/kernel_base.h"
#include "cpu/memory.h"
#include "cpu/onednn.h"
#include "cpu/parallel.h"

namespace fovea {

std::unique_ptr<Backend> makeCpuBackend() { return std::make_unique<cpu::CpuBackend>(); }

namespace cpu {
namespace {

std::string processorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) {
      const size_t colon = line.find(": ");
      return colon == std::string::npos ? "processor" : line.substr(colon + 2);
    }
  }
  return "processor";
}

}  // namespace

namespace dl {

Runtime& runtime() {
  static Runtime runtime;
  return runtime;
}

}  // namespace dl

CpuBackend::CpuBackend() {
  const char* exact = std::getenv("FOVEA_EXACT");
  exact_ = exact != nullptr && std::strcmp(exact, "") != 0 && std::strcmp(exact, "0") != 0;
  try {
    dl::runtime();
  } catch (const dnnl::error& e) {
    throw Error("ERR_DEVICE", std::string("cpu: oneDNN does not start: ") + e.what());
  }
  const dnnl_version_t* version = dnnl_version();
  info_.name = info_.kind = "cpu";
  info_.description = processorName() + ", " + std::to_string(maxThreads()) + " threads, oneDNN " +
                      std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
                      std::to_string(version->patch);
  winners_ = std::make_unique<Winners>(info_.description);
  info_.memoryBytes = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) info_.capabilities.push_back("avx2");
  if (__builtin_cpu_supports("avx512f")) info_.capabilities.push_back("avx512");
  if (__builtin_cpu_supports("avx512bf16")) info_.capabilities.push_back("bf16");
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("flags", 0) != 0) continue;
    if (line.find(" amx_tile") != std::string::npos) info_.capabilities.push_back("amx");
    break;
  }
#endif
}

void* CpuBackend::allocate(size_t bytes) {
  void* pointer = allocateMemory(bytes);
  if (pointer == nullptr) {
    throw Error("ERR_OUT_OF_MEMORY", "cpu: cannot allocate " + std::to_string(bytes) + " bytes");
  }
  return pointer;
}

void CpuBackend::free(void* pointer, size_t bytes) noexcept { freeMemory(pointer, bytes); }

// Copies may come from any thread, so they do not use the engine thread's pool.
void CpuBackend::copyToDevice(void* to, const void* from, size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}
void CpuBackend::copyToHost(void* to, const void* from, size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}
void CpuBackend::zero(void* to, size_t bytes) {
  if (bytes > 0) std::memset(to, 0, bytes);
}

}  // namespace cpu
}  // namespace fovea
