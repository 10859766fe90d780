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
        arena_(*backend_, ledger_) {}

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

  /** The arena, held while a plan uses it. */
  class ArenaLease {
   public:
    explicit ArenaLease(Device& device) : lock_(device.arenaMutex_), arena_(device.arena_) {}
    Arena* operator->() const { return &arena_; }

   private:
    std::lock_guard<std::mutex> lock_;
    Arena& arena_;
  };

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
  std::mutex arenaMutex_;
  Arena arena_;
  std::atomic<size_t> plans_{0}, buffers_{0};
  Engine engine_;  // last: joined before the rest goes
};

/** The error of work that was cut short because its owner or the process ends. */
[[noreturn]] void throwStopped();

template <typename Body>
auto Device::call(Body body) -> std::invoke_result_t<Body, const std::atomic<bool>&> {
  using Result = std::invoke_result_t<Body, const std::atomic<bool>&>;
  class CallJob : public Job {
   public:
    explicit CallJob(Body body) : body_(std::move(body)) {}
    std::future<Result> future() { return promise_.get_future(); }
    void run(const std::atomic<bool>& stopping) noexcept override {
      try {
        if (stopping) throwStopped();
        if constexpr (std::is_void_v<Result>) {
          body_(stopping);
          promise_.set_value();
        } else {
          promise_.set_value(body_(stopping));
        }
      } catch (...) {
        promise_.set_exception(std::current_exception());
      }
    }

   private:
    Body body_;
    std::promise<Result> promise_;
  };
  auto job = std::make_unique<CallJob>(std::move(body));
  std::future<Result> result = job->future();
  engine_.post(std::move(job));
  return result.get();
}

}  // namespace fovea
