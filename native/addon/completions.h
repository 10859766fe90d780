#pragma once

#include <node_api.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "plan/device_memory.h"
#include "plan/plan.h"

namespace fovea {

/** What an engine tells the JavaScript thread about work that is done. */
struct Completion {
  uint64_t id = 0;
  std::optional<Error> error;
  std::optional<std::vector<StepProfile>> profiles;
  std::shared_ptr<DeviceMemory> memory;  ///< Of a new buffer.
};

/**
 * The engine's side of an environment: where jobs send their completions. It outlives the environment; once that is
 * closed, completions are dropped and `closed` tells the jobs to stop.
 */
class Outbox {
 public:
  explicit Outbox(napi_threadsafe_function function) : function_(function) {}
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  void send(std::unique_ptr<Completion> completion);
  /** Calls `body` unless closed; the environment, and so its ArrayBuffers, cannot end meanwhile. */
  template <typename Body>
  void whileOpen(Body body) {
    std::lock_guard lock(mutex_);
    if (!closed_) body();
  }
  const std::atomic<bool>& closed() const { return closed_; }
  void close();

 private:
  std::mutex mutex_;
  const napi_threadsafe_function function_;
  std::atomic<bool> closed_{false};
};

/** The JavaScript side: the promises of one environment that wait for a completion. */
class Completions {
 public:
  explicit Completions(napi_env env);
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;

  const std::shared_ptr<Outbox>& outbox() const { return outbox_; }
  /**
   * A new promise. It resolves with the profiles or the buffer of its completion, else with `result`, else with
   * undefined. While one is pending the process stays alive.
   *
   * @param id - receives the number its completion must carry
   */
  napi_value expect(uint64_t& id, napi_value result = nullptr);
  /** The environment ends. */
  void close();

 private:
  struct Pending {
    napi_deferred deferred;
    napi_ref result;
  };

  static void deliver(napi_env env, napi_value, void* context, void* data);
  void settle(Completion& completion);

  napi_env env_;
  napi_threadsafe_function function_ = nullptr;
  std::shared_ptr<Outbox> outbox_;
  std::unordered_map<uint64_t, Pending> pending_;
  uint64_t lastId_ = 0;
};

}  // namespace fovea
