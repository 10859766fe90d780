#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

#include "core/backend.h"
#include "plan/arena.h"
#include "plan/engine.h"
#include "plan/host_memory.h"
#include "plan/ledger.h"

namespace fovea {

/** One device of the process: its backend, engine thread, memory, and the arena its plans share. */
class Device {
 public:
  explicit Device(std::unique_ptr<Backend> backend)
      : backend_(std::move(backend)),
        ledger_(backend_->info().name, backend_->info().memoryBytes,
                backend_->info().kind == "cpu" ? availableHostBytes : Ledger::Available()),
        arena_(*backend_, ledger_) {
    backend_->bookTo(&ledger_);
  }
  ~Device() {
    engine_.stop();
    backend_->bookTo(nullptr);  // What the backend keeps goes after the ledger.
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  Backend& backend() { return *backend_; }
  Ledger& ledger() { return ledger_; }
  Engine& engine() { return engine_; }
  size_t arenaBytes() const { return arena_.bytes(); }
  std::atomic<size_t>& bufferCount() { return buffers_; }

  /**
   * Runs `body(stopping)` on the engine thread, after all work posted before, and waits for its result. Throws what it
   * throws. `stopping` is set when the engine wants to end.
   */
  template <typename Body>
  auto call(Body body) -> std::invoke_result_t<Body, const std::atomic<bool>&>;
  /** As `call`, but before all other work, between two steps of a running plan. */
  template <typename Body>
  auto callSoon(Body body) -> std::invoke_result_t<Body, const std::atomic<bool>&>;

  /** The arena, held while a plan uses it. */
  class ArenaLease {
   public:
    explicit ArenaLease(Device& device) : lock_(device.arenaMutex_), device_(device) { device_.arenaLeased_ = true; }
    ~ArenaLease() { device_.arenaLeased_ = false; }
    ArenaLease(const ArenaLease&) = delete;
    ArenaLease& operator=(const ArenaLease&) = delete;
    Arena* operator->() const { return &device_.arena_; }

   private:
    std::lock_guard<std::mutex> lock_;
    Device& device_;
  };
  /** Whether a plan is running. On the engine thread. */
  bool arenaLeased() const { return arenaLeased_; }

  /** A plan that is alive; the arena is given back with the last of them. */
  class PlanCount {
   public:
    explicit PlanCount(Device& device) : device_(device) { ++device_.plans_; }
    ~PlanCount();
    PlanCount(const PlanCount&) = delete;
    PlanCount& operator=(const PlanCount&) = delete;

   private:
    Device& device_;
  };

 private:
  std::unique_ptr<Backend> backend_;
  Ledger ledger_;
  template <typename Body>
  struct CallJob;

  std::mutex arenaMutex_;
  std::atomic<bool> arenaLeased_{false};
  Arena arena_;
  std::atomic<size_t> plans_{0}, buffers_{0};
  Engine engine_;  // last: joined before the rest goes
};

/** The error of work that was cut short because its owner or the process ends. */
[[noreturn]] void throwStopped();

/** A function for the engine thread, and the promise of its result. */
template <typename Body>
struct Device::CallJob : public Job {
  using Result = std::invoke_result_t<Body, const std::atomic<bool>&>;

  explicit CallJob(Body body) : body(std::move(body)) {}
  void run(const std::atomic<bool>& stopping) noexcept override {
    try {
      if (stopping) throwStopped();
      if constexpr (std::is_void_v<Result>) {
        body(stopping);
        promise.set_value();
      } else {
        promise.set_value(body(stopping));
      }
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  }

  Body body;
  std::promise<Result> promise;
};

template <typename Body>
auto Device::call(Body body) -> std::invoke_result_t<Body, const std::atomic<bool>&> {
  auto job = std::make_unique<CallJob<Body>>(std::move(body));
  auto result = job->promise.get_future();
  engine_.post(std::move(job));
  return result.get();
}

template <typename Body>
auto Device::callSoon(Body body) -> std::invoke_result_t<Body, const std::atomic<bool>&> {
  auto job = std::make_unique<CallJob<Body>>(std::move(body));
  auto result = job->promise.get_future();
  engine_.postUrgent(std::move(job));
  return result.get();
}

}  // namespace fovea
