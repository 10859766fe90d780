#pragma once

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

/**
 * @file
 * OpenMP loops that only fork when it pays. All of them run on the engine thread, whose pool oneDNN shares.
 */
namespace fovea::cpu {

/** Elementary operations below which a loop runs serially; a fork and join costs a few microseconds. */
inline constexpr int64_t kSerialWork = 1 << 15;

/** The size of the engine thread's pool. */
inline int maxThreads() { return omp_get_max_threads(); }

/**
 * The pool's size when a kernel was prepared: workspaces (ours and oneDNN's) are cut for it, so the kernel goes on
 * running with it when the size is set anew. `Scope` holds it for one launch.
 */
class PreparedThreads {
 public:
  class Scope {
   public:
    explicit Scope(int count) : before_(omp_get_max_threads()), changed_(before_ != count) {
      if (changed_) omp_set_num_threads(count);
    }
    ~Scope() {
      if (changed_) omp_set_num_threads(before_);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    int before_;
    bool changed_;
  };
  Scope scope() const { return Scope(count_); }

 private:
  int count_ = omp_get_max_threads();
};

/** How many threads `n` items of `workPerItem` operations deserve. */
inline int threadsFor(int64_t n, int64_t workPerItem) {
  const int64_t work = n * std::max<int64_t>(workPerItem, 1);
  if (work < 2 * kSerialWork || n < 2) return 1;
  return static_cast<int>(std::min<int64_t>({maxThreads(), n, work / kSerialWork}));
}

/** Calls `body(begin, end, thread)` on contiguous, disjoint parts of 0..n-1, one part a thread: for sums by thread. */
template <class Body>
void parallelParts(int64_t n, int64_t workPerItem, const Body& body) {
  if (n <= 0) return;
  const int threads = threadsFor(n, workPerItem);
  if (threads == 1) return body(int64_t{0}, n, 0);
#pragma omp parallel num_threads(threads)
  {
    const int64_t count = omp_get_num_threads(), t = omp_get_thread_num();
    const int64_t begin = n * t / count, end = n * (t + 1) / count;
    if (begin < end) body(begin, end, static_cast<int>(t));
  }
}

/**
 * Calls `body(begin, end, thread)` on contiguous, disjoint parts of 0..n-1, several a thread: who is done takes half of
 * an even share of what is left, at last single items. A thread that another process holds up, or that wakes up late,
 * does less. For bodies whose results do not depend on how the items are divided.
 */
template <class Body>
void parallelRanges(int64_t n, int64_t workPerItem, const Body& body) {
  if (n <= 0) return;
  const int threads = threadsFor(n, workPerItem);
  if (threads == 1) return body(int64_t{0}, n, 0);
  const int64_t least = std::clamp<int64_t>(kSerialWork / std::max<int64_t>(workPerItem, 1), 1, n);
  std::atomic<int64_t> taken{0};
#pragma omp parallel num_threads(threads)
  {
    const int64_t parts = int64_t{2} * omp_get_num_threads();
    int64_t begin = taken.load(std::memory_order_relaxed);
    while (begin < n) {
      const int64_t end = std::min(begin + std::max((n - begin) / parts, least), n);
      if (!taken.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
      body(begin, end, omp_get_thread_num());
      begin = taken.load(std::memory_order_relaxed);
    }
  }
}

/** Calls `body(i)` for every i of 0..n-1, divided as `parallelRanges` does. */
template <class Body>
void parallelFor(int64_t n, int64_t workPerItem, const Body& body) {
  parallelRanges(n, workPerItem, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

}  // namespace fovea::cpu
