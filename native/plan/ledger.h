#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "core/memory_book.h"

namespace fovea {

/** Who holds a device's memory: every allocation is booked here first. Safe from any thread. */
class Ledger final : public MemoryBook {
 public:
  /** Says how many bytes can still be had. */
  using Available = std::function<size_t()>;

  /**
   * @param capacity what the device has, 0 when unknown: the limit until one is set
   * @param available asked before large allocations; none where the device itself refuses what it cannot give
   */
  Ledger(std::string device, size_t capacity, Available available = nullptr)
      : device_(std::move(device)), capacity_(capacity), available_(std::move(available)) {}

  /** Books `bytes` for `holder`; throws ERR_OUT_OF_MEMORY where they would exceed the limit or what can be had. */
  void reserve(size_t bytes, const std::string& holder) override;
  void release(size_t bytes, const std::string& holder) noexcept override;
  Error refusal(size_t bytes, const std::string& holder, const std::string& reason) const override;

  /** 0 sets the limit back to what the device has. */
  void setLimit(size_t bytes);
  size_t bytes() const;
  size_t peakBytes() const;

 private:
  struct Holding {
    size_t count = 0, bytes = 0;
  };

  void checkAvailable(size_t bytes, const std::string& holder) const;
  size_t limit() const { return limit_ ? limit_ : capacity_; }
  /** The largest holders, for messages. */
  std::string holders() const;

  const std::string device_;
  const size_t capacity_;
  const Available available_;
  mutable std::mutex mutex_;
  size_t limit_ = 0, bytes_ = 0, peak_ = 0;
  std::map<std::string, Holding> holdings_;
};

}  // namespace fovea
