#include "plan/ledger.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "core/error.h"

namespace fovea {
namespace {

std::string megabytes(size_t bytes) {
  constexpr size_t kSmall = 100 << 10;  // as MiB they would be 0.0 or 0.1
  if (bytes != 0 && bytes < kSmall) return std::to_string(bytes) + " bytes";
  char text[48];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / 1048576.0);
  return text;
}

}  // namespace

void Ledger::checkAvailable(size_t bytes, const std::string& holder) const {
  constexpr size_t kLarge = 64 << 20;     // smaller ones are not worth the question
  constexpr size_t kReserve = 128 << 20;  // for everything else in the process
  if (!available_ || bytes < kLarge) return;
  const size_t available = available_();
  if (available >= kReserve && bytes <= available - kReserve) return;
  throw refusal(bytes, holder, "the system has " + megabytes(available) + " left");
}

void Ledger::reserve(size_t bytes, const std::string& holder) {
  checkAvailable(bytes, holder);
  std::lock_guard lock(mutex_);
  const size_t most = limit();
  if (most != 0 && (bytes > most || bytes_ > most - bytes)) {
    throw Error("ERR_OUT_OF_MEMORY", device_ + ": out of memory: " + holder + " needs " + megabytes(bytes) +
                                         ", but of the " + (limit_ ? "limit of " : "device's ") + megabytes(most) +
                                         " only " + megabytes(most > bytes_ ? most - bytes_ : 0) +
                                         " are free; largest holders: " + holders());
  }
  Holding& holding = holdings_[holder];
  holding.count++;
  holding.bytes += bytes;
  bytes_ += bytes;
  peak_ = std::max(peak_, bytes_);
}

void Ledger::release(size_t bytes, const std::string& holder) noexcept {
  std::lock_guard lock(mutex_);
  bytes_ -= bytes;
  const auto found = holdings_.find(holder);
  if (found == holdings_.end()) return;
  found->second.bytes -= bytes;
  if (--found->second.count == 0) holdings_.erase(found);
}

Error Ledger::refusal(size_t bytes, const std::string& holder, const std::string& reason) const {
  std::lock_guard lock(mutex_);
  return Error("ERR_OUT_OF_MEMORY", device_ + ": out of memory: " + holder + " needs " + megabytes(bytes) +
                                        ", which the device refused (" + reason + "); in use " + megabytes(bytes_) +
                                        "; largest holders: " + holders());
}

std::string Ledger::holders() const {
  constexpr size_t kShown = 3;
  std::vector<std::pair<std::string, Holding>> list(holdings_.begin(), holdings_.end());
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.second.bytes > b.second.bytes; });
  if (list.empty()) return "none";
  std::string text;
  for (size_t i = 0; i < list.size() && i < kShown; ++i) {
    const auto& [name, holding] = list[i];
    text += (i ? ", " : "") + name + (holding.count > 1 ? " x" + std::to_string(holding.count) : "") + " (" +
            megabytes(holding.bytes) + ")";
  }
  return text;
}

void Ledger::setLimit(size_t bytes) {
  std::lock_guard lock(mutex_);
  limit_ = bytes;
}

size_t Ledger::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

size_t Ledger::peakBytes() const {
  std::lock_guard lock(mutex_);
  return peak_;
}

}  // namespace fovea
