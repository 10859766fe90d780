#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/dtype.h"
#include "core/error.h"
#include "plan/arena.h"
#include "plan/device.h"

namespace fovea {

/** The elements of one buffer. Shared by the JavaScript object and by the queued jobs that use it. */
class DeviceMemory {
 public:
  /** Throws ERR_OUT_OF_MEMORY. The contents are to be written. */
  DeviceMemory(Device& device, DType dtype, size_t size);
  /** Throws ERR_OUT_OF_MEMORY. The contents are those of `data`, or zeros without. */
  DeviceMemory(Device& device, DType dtype, size_t size, const void* data);
  ~DeviceMemory() { --device_.bufferCount(); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  Device& device() const { return device_; }
  DType dtype() const { return dtype_; }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * bytesPerElement(dtype_); }
  void* data() const { return allocation_.data(); }
  /** Differs for all contents of all buffers. To be asked by jobs. */
  uint64_t version() const { return version_.load(std::memory_order_relaxed); }
  /** The contents are about to be others. */
  void changes() { version_.store(nextVersion(), std::memory_order_relaxed); }
  /** Whether a job that uses it is queued or running. */
  bool busy() const { return uses_.load(std::memory_order_acquire) != 0; }

  /** Marks the memory as used by a job, from the call that queues it until the job is done. */
  class Use {
   public:
    explicit Use(std::shared_ptr<DeviceMemory> memory) : memory_(std::move(memory)) {
      memory_->uses_.fetch_add(1, std::memory_order_relaxed);
    }
    ~Use() {
      if (memory_) memory_->uses_.fetch_sub(1, std::memory_order_release);
    }
    Use(Use&&) noexcept = default;
    Use& operator=(Use&&) = delete;
    DeviceMemory& operator*() const { return *memory_; }
    DeviceMemory* operator->() const { return memory_.get(); }

   private:
    std::shared_ptr<DeviceMemory> memory_;
  };

  /**
   * Why the contents are not what they should be: the run that was to make them failed. To be touched by jobs, and by
   * the owning JavaScript thread while the memory is not busy.
   */
  std::shared_ptr<const Error> failure;

  /** Scratch of the owning JavaScript thread: in which run, and where in it, the memory was last seen. */
  uint64_t seenInRun = 0;
  size_t seenAt = 0;

 private:
  Device& device_;
  const DType dtype_;
  const size_t size_;
  Allocation allocation_;
  static uint64_t nextVersion();
  std::atomic<uint64_t> version_{nextVersion()};
  std::atomic<int> uses_{0};
};

}  // namespace fovea
