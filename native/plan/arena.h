#pragma once

#include <atomic>
#include <cstddef>
#include <string>

#include "core/backend.h"
#include "plan/ledger.h"

namespace fovea {

/** Booked device memory; freed by the destructor. */
class Allocation {
 public:
  Allocation(Backend& backend, Ledger& ledger, std::string holder)
      : backend_(backend), ledger_(ledger), holder_(std::move(holder)) {}
  ~Allocation() { reset(); }
  Allocation(const Allocation&) = delete;
  Allocation& operator=(const Allocation&) = delete;

  /** Replaces the memory by `bytes` new ones, not initialised. Throws ERR_OUT_OF_MEMORY, then holding nothing. */
  void allocate(size_t bytes);
  void reset() noexcept;
  std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  Backend& backend_;
  Ledger& ledger_;
  const std::string holder_;
  std::byte* data_ = nullptr;
  std::atomic<size_t> bytes_{0};
};

/**
 * The memory that all plans of a device share: they run one after the other, and no value in here outlives a run. It
 * grows to what the largest plan needs. To be used on the engine thread only, but for `bytes`.
 */
class Arena {
 public:
  Arena(Backend& backend, Ledger& ledger)
      : values_(backend, ledger, "arena"), workspace_(backend, ledger, "workspace") {}

  void grow(size_t valueBytes, size_t workspaceBytes);
  void release() noexcept;
  std::byte* values() const { return values_.data(); }
  void* workspace() const { return workspace_.data(); }
  size_t bytes() const { return values_.bytes() + workspace_.bytes(); }

 private:
  Allocation values_, workspace_;
};

}  // namespace fovea
