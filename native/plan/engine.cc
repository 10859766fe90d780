#include "plan/engine.h"

#include <utility>

#include "plan/threads.h"

namespace fovea {

void Engine::post(std::unique_ptr<Job> job) {
  std::thread ended;
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
    if (!running_) {
      ended = std::exchange(thread_, std::thread([this] { loop(); }));
      running_ = true;
    }
  }
  wake_.notify_one();
  if (ended.joinable()) ended.join();
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
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
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
