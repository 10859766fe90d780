#include "plan/engine.h"

#include <chrono>
#include <thread>

#include "native/fixtures.h"
#include "native/testing.h"

namespace fovea::test {
namespace {

using namespace std::chrono_literals;

/** A job that calls a function. */
class CallJob : public Job {
 public:
  explicit CallJob(std::function<void(const std::atomic<bool>&)> body) : body_(std::move(body)) {}
  void run(const std::atomic<bool>& stopping) noexcept override { body_(stopping); }

 private:
  std::function<void(const std::atomic<bool>&)> body_;
};

void post(Engine& engine, std::function<void(const std::atomic<bool>&)> body) {
  engine.post(std::make_unique<CallJob>(std::move(body)));
}

void keepsOrder() {
  std::vector<int> seen;
  {
    Engine engine;
    std::atomic<bool> done{false};
    for (int i = 0; i < 1000; ++i) post(engine, [&seen, i](const auto&) { seen.push_back(i); });
    post(engine, [&](const auto&) { done = true; });
    while (!done) std::this_thread::sleep_for(1ms);
  }
  check(seen.size() == 1000);
  for (int i = 0; i < 1000; ++i) check(seen[i] == i);
}

void keepsOrderOfEachThread() {
  constexpr int kThreads = 4, kJobs = 500;
  std::vector<int> last(kThreads, -1);
  std::atomic<int> wrong{0}, ran{0};
  Engine engine;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kJobs; ++i) {
        post(engine, [&, t, i](const auto&) {
          if (last[t] != i - 1) ++wrong;
          last[t] = i;
          ++ran;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  while (ran < kThreads * kJobs) std::this_thread::sleep_for(1ms);
  check(wrong == 0);
}

void stopsEarly() {
  Engine engine;
  std::atomic<int> finished{0}, cut{0};
  std::atomic<bool> started{false};
  const auto job = [&](const std::atomic<bool>& stopping) {
    started = true;
    for (int i = 0; i < 10000; ++i) {
      if (stopping) {
        ++cut;
        return;
      }
      std::this_thread::sleep_for(1ms);
    }
    ++finished;
  };
  for (int i = 0; i < 5; ++i) post(engine, job);
  while (!started) std::this_thread::sleep_for(1ms);
  engine.stop();
  check(finished == 0 && cut == 5, "running and queued jobs are all told to stop");
}

void startsAgain() {
  Engine engine;
  for (int round = 0; round < 50; ++round) {
    std::atomic<bool> done{false};
    post(engine, [&](const auto&) { done = true; });
    if (round % 2 == 0) {
      while (!done) std::this_thread::yield();
    }
    engine.stop();
    check(done, "no job is lost");
  }
  engine.stop();
}

void stopsWhilePostedTo() {
  Engine engine;
  std::atomic<int> posted{0}, ran{0};
  std::thread poster([&] {
    for (int i = 0; i < 2000; ++i) {
      ++posted;
      post(engine, [&](const auto&) { ++ran; });
    }
  });
  for (int i = 0; i < 20; ++i) engine.stop();
  poster.join();
  engine.stop();
  check(posted == ran, "every job ran, or was told to stop");
}

void urgentJobsGoFirst() {
  Engine engine;
  std::atomic<bool> started{false}, posted{false}, done{false};
  std::vector<int> seen;
  post(engine, [&](const auto&) {
    started = true;
    while (!posted) std::this_thread::yield();
    seen.push_back(1);
    engine.runUrgent();  // as a plan does between two steps
    seen.push_back(3);
  });
  post(engine, [&](const auto&) { seen.push_back(5); });
  while (!started) std::this_thread::yield();
  engine.postUrgent(std::make_unique<CallJob>([&](const auto&) { seen.push_back(2); }));
  posted = true;
  post(engine, [&](const auto&) { done = true; });
  while (!done) std::this_thread::yield();
  check(seen == std::vector<int>({1, 2, 3, 5}));
}

void callsBack() {
  check(cpu().call([](const std::atomic<bool>&) { return 42; }) == 42);
  const Error error =
      errorOf([] { cpu().call([](const std::atomic<bool>&) { throw Error("ERR_DEVICE", "broken"); }); });
  check(error.code() == "ERR_DEVICE");
}

}  // namespace

std::vector<Test> engineTests() {
  return {
      {"engine: runs jobs in the order posted", keepsOrder},
      {"engine: keeps the order of each of several threads", keepsOrderOfEachThread},
      {"engine: stop ends the running job and those queued", stopsEarly},
      {"engine: starts again after stop", startsAgain},
      {"engine: stop while another thread posts loses nothing", stopsWhilePostedTo},
      {"engine: urgent jobs run within a running one, at its word", urgentJobsGoFirst},
      {"engine: call returns and throws what its body does", callsBack},
  };
}

}  // namespace fovea::test
