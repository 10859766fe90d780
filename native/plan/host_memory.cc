#include "plan/host_memory.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

namespace fovea {
namespace {

constexpr size_t kUnknown = SIZE_MAX;

/** Free memory and what the kernel would give up for us. */
size_t systemAvailable() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  size_t kilobytes = 0;
  while (file >> name >> kilobytes) {
    if (name == "MemAvailable:") return kilobytes * 1024;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return kUnknown;
}

/** What a container's limit leaves. */
size_t groupAvailable() {
  std::ifstream most("/sys/fs/cgroup/memory.max"), used("/sys/fs/cgroup/memory.current");
  size_t mostBytes = 0, usedBytes = 0;
  if (!(most >> mostBytes) || !(used >> usedBytes)) return kUnknown;  // "max" is no number: no limit
  return mostBytes > usedBytes ? mostBytes - usedBytes : 0;
}

}  // namespace

size_t availableHostBytes() { return std::min(systemAvailable(), groupAvailable()); }

}  // namespace fovea
