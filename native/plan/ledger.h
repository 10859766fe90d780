#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace fovea {

/** Who holds a device's memory: every allocation is booked here first. Safe from any thread. */
class Ledger {
 public:
  /** `capacity` is what the device has, 0 when unknown: the limit until one is set. */
  Ledger(std::string device, size_t capacity) : device_(std::move(device)), capacity_(capacity) {}

  /** Books `bytes` for `holder`; throws ERR_OUT_OF_MEMORY where they would exceed the limit. */
  void reserve(size_t bytes, const std::string& holder);
  void release(size_t bytes, const std::string& holder) noexcept;
  /** Throws the ERR_OUT_OF_MEMORY of an allocation that the device refused for `reason`. */
  [[noreturn]] void refuse(size_t bytes, const std::string& holder, const std::string& reason) const;

  /** 0 sets the limit back to what the device has. */
  void setLimit(size_t bytes);
  size_t bytes() const;
  size_t peakBytes() const;

 private:
  struct Holding {
    size_t count = 0, bytes = 0;
  };

  size_t limit() const { return limit_ ? limit_ : capacity_; }
  /** The largest holders, for messages. */
  std::string holders() const;

  const std::string device_;
  const size_t capacity_;
  mutable std::mutex mutex_;
  size_t limit_ = 0, bytes_ = 0, peak_ = 0;
  std::map<std::string, Holding> holdings_;
};

}  // namespace fovea
