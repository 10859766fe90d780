#include "cuda/fault_slots.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace fovea::cuda {
namespace {

constexpr size_t kMostSlots = 16384;

}  // namespace

FaultSlots::FaultSlots(Context& context)
    : context_(context), device_(context, (kMostSlots + 1) * sizeof(FaultWord), "fault words") {
  void* memory = nullptr;
  context_.check(cudaHostAlloc(&memory, kMostSlots * sizeof(FaultWord), cudaHostAllocDefault), "cudaHostAlloc",
                 "fault words");
  host_ = static_cast<FaultWord*>(memory);
  try {
    reset(0, kMostSlots + 1);
  } catch (...) {
    cudaFreeHost(host_);
    throw;
  }
}

FaultWord* FaultSlots::halt() const { return word(kMostSlots); }

FaultSlots::~FaultSlots() { cudaFreeHost(host_); }

void FaultSlots::reset(size_t first, size_t count) {
  context_.check(cudaMemsetAsync(word(first), 0xff, count * sizeof(FaultWord), context_.stream()), "cudaMemsetAsync",
                 "fault words");
}

size_t FaultSlots::add(Message message, std::string op, std::string layer) {
  const std::lock_guard lock(mutex_);
  auto found = std::find_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return !slot.used; });
  if (found == slots_.end()) {
    if (slots_.size() == kMostSlots) {
      throw Error("ERR_OUT_OF_MEMORY", "more than " + std::to_string(kMostSlots) +
                                           " prepared kernels that read indices: dispose of plans that are not used");
    }
    found = slots_.insert(slots_.end(), Slot{});
  }
  *found = {true, std::move(message), std::move(op), std::move(layer)};
  ++used_;
  return static_cast<size_t>(found - slots_.begin());
}

void FaultSlots::release(size_t index) noexcept {
  const std::lock_guard lock(mutex_);
  slots_[index] = {};
  --used_;
}

void FaultSlots::fetch() {
  const std::lock_guard lock(mutex_);
  if (used_ == 0) return;
  context_.check(cudaMemcpyAsync(host_, device_.data(), slots_.size() * sizeof(FaultWord), cudaMemcpyDeviceToHost,
                                 context_.stream()),
                 "cudaMemcpyAsync", "fault words");
}

void FaultSlots::collect() {
  const std::lock_guard lock(mutex_);
  if (used_ == 0) return;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const FaultWord fault = host_[i];
    if (fault == kNoFault) continue;
    ++faults_;
    reset(0, slots_.size());
    reset(kMostSlots, 1);
    const Slot& slot = slots_[i];
    if (!slot.used) continue;
    Error error("ERR_EXECUTION",
                slot.message(static_cast<int64_t>(fault >> 32), static_cast<int32_t>(static_cast<uint32_t>(fault))));
    error.op = slot.op;
    error.layer = slot.layer;
    throw error;
  }
}

}  // namespace fovea::cuda
