#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cuda/context.h"

namespace fovea::cuda {

/**
 * The fault words of a device: a block of device memory, and a pinned copy of it that `collect` fetches and looks
 * through. On the engine thread, but for `release`.
 */
class FaultSlots {
 public:
  using Message = std::function<std::string(int64_t position, int32_t value)>;

  explicit FaultSlots(Context& context);
  ~FaultSlots();
  FaultSlots(const FaultSlots&) = delete;
  FaultSlots& operator=(const FaultSlots&) = delete;

  size_t add(Message message, std::string op, std::string layer);
  void release(size_t index) noexcept;
  FaultWord* word(size_t index) const { return device_.as<FaultWord>() + index; }
  /** Names the word that was reported to first since the last `collect`: see `halted` in kernels/block.h. */
  FaultWord* halt() const;

  /** Enqueues the fetch of the words, where there are any. */
  void fetch();
  /** After the stream was waited for: throws the first fault; all words are well again. */
  void collect();
  /** How many faults were collected: what launches after a fault were to write is as it was before. */
  uint64_t faults() const { return faults_; }

 private:
  struct Slot {
    bool used = false;
    Message message;
    std::string op, layer;
  };
  void reset(size_t first, size_t count);

  Context& context_;
  mutable std::mutex mutex_;
  DeviceArray device_;
  FaultWord* host_ = nullptr;
  std::vector<Slot> slots_;
  size_t used_ = 0;
  uint64_t faults_ = 0;
};

}  // namespace fovea::cuda
