#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace fovea {

/** Whether work should end early: its owner is gone, or the process is about to exit. */
class StopSignal {
 public:
  StopSignal(const std::atomic<bool>& engine, const std::atomic<bool>& owner) : engine_(engine), owner_(owner) {}
  bool raised() const { return engine_.load(std::memory_order_relaxed) || owner_.load(std::memory_order_relaxed); }

 private:
  const std::atomic<bool>& engine_;
  const std::atomic<bool>& owner_;
};

/** Work for the engine thread. It is destroyed there after it ran; it must not throw. */
class Job {
 public:
  virtual ~Job() = default;
  /** `stopping` is set once the engine wants to end: the job then only reports that it did not run. */
  virtual void run(const std::atomic<bool>& stopping) noexcept = 0;
};

/**
 * The one thread of a device that prepares and launches kernels. Jobs run in the order posted, whichever environment
 * (main thread, Worker) posts them. The thread starts with the first job after construction or `stop`.
 */
class Engine {
 public:
  Engine() = default;
  ~Engine() { stop(); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void post(std::unique_ptr<Job> job);
  /** Posts a job that may run before all others, between two steps of a running plan: its poster waits for it. */
  void postUrgent(std::unique_ptr<Job> job);
  /** Runs the urgent jobs there are. On the engine thread, between two steps. */
  void runUrgent();
  /** Ends the running job at its next step and all queued ones unrun, and joins the thread. */
  void stop();

 private:
  void enqueue(std::deque<std::unique_ptr<Job>>& queue, std::unique_ptr<Job> job);
  void loop();

  std::mutex stopMutex_;  ///< Held by the one caller of `stop` that joins.
  std::mutex mutex_;      ///< Guards what follows.
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> urgent_, queue_;
  std::atomic<bool> anyUrgent_{false};
  std::thread thread_;
  bool running_ = false;
  std::atomic<bool> stopping_{false};
};

}  // namespace fovea
