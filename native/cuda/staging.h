#pragma once

#include <cstddef>
#include <mutex>

#include "cuda/context.h"

namespace fovea::cuda {

/**
 * Copies between ordinary host memory and the device, through pinned memory on the copy stream: while one half of it is
 * on its way, the other is filled or emptied. Work on the compute stream goes on meanwhile. Any thread; one copy at a
 * time.
 */
class Staging {
 public:
  explicit Staging(Context& context) : context_(context) {}
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /** Returns when the bytes are there. */
  void toDevice(void* to, const void* from, size_t bytes);
  void toHost(void* to, const void* from, size_t bytes);

 private:
  void reserve();
  void release() noexcept;

  Context& context_;
  std::mutex mutex_;
  std::byte* half_[2] = {nullptr, nullptr};
  cudaEvent_t done_[2] = {nullptr, nullptr};
};

}  // namespace fovea::cuda
