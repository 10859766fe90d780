#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/kernel.h"
#include "cuda/kernels/fault.h"
#include "cuda/kernels/launch.h"

/** @file Takes the place of the header of that name: a device that is the host. What kernels use of it, no more. */
namespace fovea::cuda {

class Context;

struct DeviceProperties {
  int multiprocessors = 3;
  size_t sharedBytesPerBlock = 48 << 10;
  int threadsPerMultiprocessor = 1536;
};

class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(const void* data, size_t bytes) : data_(std::make_unique<std::byte[]>(bytes)) {
    if (bytes > 0) std::memcpy(data_.get(), data, bytes);
  }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_.get());
  }

 private:
  std::unique_ptr<std::byte[]> data_;
};

class FaultSlot {
 public:
  using Message = std::function<std::string(int64_t position, int32_t value)>;
  explicit FaultSlot(Message message) : message_(std::move(message)) {}
  FaultWord* word() { return &word_; }
  /** Throws what the kernel has reported. */
  void collect() {
    if (word_ == kNoFault) return;
    const FaultWord fault = std::exchange(word_, kNoFault);
    throw Error("ERR_EXECUTION",
                message_(static_cast<int64_t>(fault >> 32), static_cast<int32_t>(static_cast<uint32_t>(fault))));
  }

 private:
  Message message_;
  FaultWord word_ = kNoFault;
};

class Context final : public Stream {
 public:
  void enter() {}
  cudaStream_t stream() const { return nullptr; }
  const DeviceProperties& properties() const { return properties_; }
  int multiprocessors() const { return properties_.multiprocessors; }
  /** Another device from now on. */
  void become(const DeviceProperties& properties) { properties_ = properties; }
  template <class T>
  DeviceArray upload(const char*, const std::vector<T>& data) {
    return DeviceArray(data.data(), data.size() * sizeof(T));
  }
  std::shared_ptr<FaultSlot> faultSlot(FaultSlot::Message message) {
    auto slot = std::make_shared<FaultSlot>(std::move(message));
    slots_.push_back(slot);
    return slot;
  }
  void synchronize() {
    halt_ = kNoFault;
    for (const auto& slot : slots_) {
      if (const auto live = slot.lock()) live->collect();
    }
  }
  FaultWord* halt() { return &halt_; }
  template <class Detail>
  void check(cudaError_t, const char*, const Detail&) {}

 private:
  DeviceProperties properties_;
  std::vector<std::weak_ptr<FaultSlot>> slots_;
  FaultWord halt_ = kNoFault;
};

}  // namespace fovea::cuda
