#include "plan/device_memory.h"

#include <algorithm>
#include <string>

namespace fovea {
namespace {

std::string holderName(DType dtype, size_t size) {
  return std::string("buffer ") + nameOf(dtype) + " [" + std::to_string(size) + "]";
}

}  // namespace

uint64_t DeviceMemory::nextVersion() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

DeviceMemory::DeviceMemory(Device& device, DType dtype, size_t size)
    : device_(device),
      dtype_(dtype),
      size_(size),
      allocation_(device.backend(), device.ledger(), holderName(dtype, size)) {
  // An empty buffer has an address too.
  allocation_.allocate(std::max<size_t>(bytes(), 1));
  ++device_.bufferCount();
}

DeviceMemory::DeviceMemory(Device& device, DType dtype, size_t size, const void* data)
    : DeviceMemory(device, dtype, size) {
  if (bytes() == 0) return;
  if (data) {
    device.backend().copyToDevice(allocation_.data(), data, bytes());
  } else {
    device.backend().zero(allocation_.data(), bytes());
  }
}

}  // namespace fovea
