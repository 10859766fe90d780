#include "plan/engine.h"

#include <utility>

#include "plan/threads.h"

namespace fovea {

void Engine::post(std::unique_ptr<Job> job) { enqueue(queue_, std::move(job)); }

void Engine::postUrgent(std::unique_ptr<Job> job) { enqueue(urgent_, std::move(job)); }

void Engine::enqueue(std::deque<std::unique_ptr<Job>>& queue, std::unique_ptr<Job> job) {
  std::thread ended;
  {
    std::lock_guard lock(mutex_);
    queue.push_back(std::move(job));
    anyUrgent_ = !urgent_.empty();
    if (!running_) {
      ended = std::exchange(thread_, std::thread([this] { loop(); }));
      running_ = true;
    }
  }
  wake_.notify_one();
  if (ended.joinable()) ended.join();
}

void Engine::runUrgent() {
  while (anyUrgent_.load(std::memory_order_relaxed)) {
    std::unique_ptr<Job> job;
    {
      std::lock_guard lock(mutex_);
      if (urgent_.empty()) return;
      job = std::move(urgent_.front());
      urgent_.pop_front();
      anyUrgent_ = !urgent_.empty();
    }
    job->run(stopping_);
  }
}

void Engine::stop() {
  std::lock_guard one(stopMutex_);
  std::thread thread;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    thread = std::move(thread_);
  }
  wake_.notify_one();
  if (thread.joinable()) thread.join();
  stopping_ = false;
}

void Engine::loop() {
  nameThread("fovea-engine");
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty() || !urgent_.empty(); });
    if (!urgent_.empty()) {
      lock.unlock();
      runUrgent();
      lock.lock();
      continue;
    }
    if (queue_.empty()) break;
    std::unique_ptr<Job> job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job->run(stopping_);
    job.reset();
    lock.lock();
  }
  running_ = false;
}

}  // namespace fovea
