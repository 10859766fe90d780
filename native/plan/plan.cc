#include "plan/plan.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <new>
#include <utility>

#include "core/error.h"
#include "plan/threads.h"

namespace fovea {
namespace {

/** Calls `body`; whatever it throws leaves as an Error that names the step, `code` where it had none. */
template <typename Body>
void naming(const StepDesc& step, const char* code, Body body) {
  try {
    body();
  } catch (const Error& error) {
    rethrowFor(step, error);
  } catch (const std::bad_alloc&) {
    rethrowFor(step, Error("ERR_OUT_OF_MEMORY", "out of host memory"));
  } catch (const std::exception& error) {
    rethrowFor(step, Error(code, error.what()));
  }
}

}  // namespace

Plan::Plan(Device& device, PlanDesc description, const std::vector<Preparation>& preparations)
    : device_(device),
      count_(device),
      description_(std::move(description)),
      writes_(description_.externals.size()),
      recordings_([&device](const std::function<void()>& launch) { return device.backend().record(launch); }),
      threads_(computeThreads()) {
  useComputeThreads(threads_);
  steps_.reserve(preparations.size());
  for (size_t i = 0; i < preparations.size(); ++i) {
    naming(description_.steps[i], "ERR_DEVICE", [&] { prepare(preparations[i], description_.steps[i]); });
  }
  inputPointers_.resize(inputs_.size());
  outputPointers_.resize(outputs_.size());
  versions_.resize(inputs_.size());
  if (device_.backend().records()) bindings_.emplace(device_, externalUses());
  // Prepared between two steps of a running plan: that one holds the arena, which then grows with this one's first run.
  if (!device_.arenaLeased()) Device::ArenaLease(device_)->grow(description_.arenaBytes, workspaceBytes_);
}

void Plan::prepare(const Preparation& preparation, const StepDesc& desc) {
  device_.backend().preparing(desc.op.empty() ? desc.kernel : desc.op, desc.layer);
  Step step{preparation(device_.backend()), inputs_.size(), outputs_.size()};
  if (!step.kernel) throw Error("ERR_UNSUPPORTED", "the device has no such kernel");
  workspaceBytes_ = std::max(workspaceBytes_, step.kernel->workspaceBytes());
  steps_.push_back(std::move(step));
  for (int64_t slot : desc.inputs) inputs_.push_back(operandOf(slot));
  for (int64_t slot : desc.outputs) {
    outputs_.push_back(operandOf(slot));
    if (outputs_.back().external >= 0) writes_[outputs_.back().external] = true;
  }
}

Plan::Operand Plan::operandOf(int64_t slot) const {
  const StorageDesc& storage = description_.storages[description_.slots[slot].storage];
  if (storage.kind == StorageDesc::Kind::kExternal) {
    const auto width = static_cast<int64_t>(bytesPerElement(description_.externals[storage.index].dtype));
    return {storage.index, storage.first * width};
  }
  return {-1, storage.offset};
}

void Plan::run(const std::vector<External>& externals, const StopSignal& stop) { execute(externals, stop, nullptr); }

std::vector<StepProfile> Plan::profile(const std::vector<External>& externals, const StopSignal& stop) {
  std::vector<StepProfile> profiles;
  profiles.reserve(steps_.size());
  execute(externals, stop, &profiles);
  return profiles;
}

void Plan::execute(const std::vector<External>& externals, const StopSignal& stop, std::vector<StepProfile>* profiles) {
  const Device::ArenaLease arena(device_);
  arena->grow(description_.arenaBytes, workspaceBytes_);
  std::vector<void*> addresses(externals.size());
  std::transform(externals.begin(), externals.end(), addresses.begin(), [](const External& e) { return e.data; });
  const bool recorded = bindings_ && !profiles && !recordings_.givenUp() && device_.backend().records();
  const std::vector<void*> bound = recorded ? bindings_->bind(addresses) : addresses;
  const auto address = [&](const Operand& o) -> void* {
    return (o.external >= 0 ? static_cast<std::byte*>(bound[o.external]) : arena->values()) + o.offset;
  };
  std::transform(inputs_.begin(), inputs_.end(), inputPointers_.begin(), address);
  std::transform(outputs_.begin(), outputs_.end(), outputPointers_.begin(), address);
  std::transform(inputs_.begin(), inputs_.end(), versions_.begin(), [&](const Operand& o) {
    return o.external >= 0 && !writes_[o.external] ? externals[o.external].version : 0;
  });

  const auto launchAll = [&](bool recording) {
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (stop.raised()) throwStopped();
      if (!recording) device_.engine().runUrgent();
      useComputeThreads(threads_);
      const Step& step = steps_[i];
      const Pointers pointers{inputPointers_.data() + step.firstInput, outputPointers_.data() + step.firstOutput,
                              arena->workspace(), versions_.data() + step.firstInput};
      if (profiles) profiles->push_back(profileOf(i));
      naming(description_.steps[i], "ERR_EXECUTION",
             [&] { launch(step, pointers, profiles ? &profiles->back() : nullptr); });
    }
  };
  try {
    if (recorded) {
      bindings_->copyIn(addresses, bound);
      recordings_.run(recordingKey(arena->workspace()), launchAll);
      bindings_->copyOut(addresses, bound);
    } else {
      launchAll(false);
    }
  } catch (const Error& error) {
    settle();
    throw withRun(error);
  } catch (...) {
    settle();
    throw;
  }
  synchronize();
}

std::vector<ExternalUse> Plan::externalUses() const {
  std::vector<ExternalUse> uses;
  for (const ExternalDesc& external : description_.externals) {
    uses.push_back({static_cast<size_t>(external.size) * bytesPerElement(external.dtype), false, false});
  }
  for (const Operand& operand : inputs_) {
    if (operand.external >= 0) uses[operand.external].read = true;
  }
  for (size_t i = 0; i < uses.size(); ++i) uses[i].written = writes_[i];
  return uses;
}

Recordings::Key Plan::recordingKey(const void* workspace) const {
  const auto number = [](const void* address) { return static_cast<uint64_t>(reinterpret_cast<uintptr_t>(address)); };
  Recordings::Key key;
  key.reserve(inputs_.size() + outputs_.size() + 1);
  key.push_back(number(workspace));
  for (const void* address : inputPointers_) key.push_back(number(address));
  for (const void* address : outputPointers_) key.push_back(number(address));
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (!steps_[i].kernel->readsVersions()) continue;
    const size_t end = i + 1 < steps_.size() ? steps_[i + 1].firstInput : inputs_.size();
    key.insert(key.end(), versions_.begin() + static_cast<int64_t>(steps_[i].firstInput),
               versions_.begin() + static_cast<int64_t>(end));
  }
  return key;
}

void Plan::synchronize() {
  try {
    device_.backend().synchronize();
  } catch (const Error& error) {
    // What only the data could show: the backend says which op it was.
    const auto step = std::find_if(description_.steps.begin(), description_.steps.end(), [&](const StepDesc& s) {
      return !error.op.empty() && (s.op.empty() ? s.kernel : s.op) == error.op && s.layer == error.layer;
    });
    if (step == description_.steps.end()) throw withRun(error);
    rethrowFor(*step, error);
  }
}

Error Plan::withRun(const Error& error) const {
  if (!error.op.empty() || steps_.empty()) return error;
  const auto name = [](const StepDesc& s) {
    return (s.op.empty() ? s.kernel : s.op) + (s.layer.empty() ? "" : " \"" + s.layer + "\"");
  };
  const size_t count = description_.steps.size();
  std::string run = name(description_.steps.front());
  if (count > 1) run = std::to_string(count) + " steps, " + run + " to " + name(description_.steps.back());
  return {error.code(), std::string(error.what()) + " (in a run of " + run + ")"};
}

void Plan::settle() noexcept {
  try {
    device_.backend().synchronize();
  } catch (...) {  // NOLINT: the first error is the one that is told
  }
}

void Plan::launch(const Step& step, const Pointers& pointers, StepProfile* profile) {
  Backend& backend = device_.backend();
  if (!profile) {
    step.kernel->launch(backend.stream(), pointers);
    return;
  }
  const auto start = std::chrono::steady_clock::now();
  step.kernel->launch(backend.stream(), pointers);
  backend.synchronize();
  profile->milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

StepProfile Plan::profileOf(size_t i) const {
  const StepDesc& desc = description_.steps[i];
  StepProfile profile{desc.kernel, steps_[i].kernel->implementation(), desc.op, desc.layer};
  for (const auto* slots : {&desc.inputs, &desc.outputs}) {
    for (int64_t slot : *slots) profile.bytes += static_cast<double>(description_.slots[slot].tensor.bytes());
  }
  return profile;
}

}  // namespace fovea
