#pragma once

#include <cuda_runtime_api.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

/**
 * @file
 * The emulated runtime: streams, events, captures and the errors that stick. The exported C functions in cudart_*.cc
 * check their arguments as the real library does and call this.
 */

/** Streams, events and graphs are what the opaque handles of cuda_runtime_api.h point to. */
struct CUevent_st {
  uint64_t recorded = 0;  ///< How often it was recorded …
  uint64_t reached = 0;   ///< … and how many of these records the device has passed.
  bool timing = true;
  std::chrono::steady_clock::time_point when{};
  struct Capture* capture = nullptr;  ///< The capture its last record belongs to.
  cudaStream_t capturedFrom = nullptr;
  size_t capturedAt = 0;
};

namespace fovea::emulator {

/** One thing that a stream does: work, an event that it passes, or one that it waits for. */
struct Item {
  std::function<cudaError_t()> work;
  cudaEvent_t record = nullptr, wait = nullptr;
  uint64_t generation = 0;
};

}  // namespace fovea::emulator

/** A capture in progress. */
struct Capture {
  cudaStream_t origin;
  std::thread::id thread;
  cudaStreamCaptureMode mode;
  bool invalid = false;
  std::vector<fovea::emulator::Item> items;
  struct Branch {
    size_t items = 0;
    bool joined = true;  ///< Whether the origin waits for all that the branch did.
  };
  std::map<cudaStream_t, Branch> branches;
};

struct CUstream_st {
  int device = 0;
  bool blocking = false;
  std::deque<fovea::emulator::Item> queue;
  Capture* capture = nullptr;
};

struct CUgraph_st {
  std::vector<fovea::emulator::Item> items;
};
struct CUgraphExec_st {
  std::vector<fovea::emulator::Item> items;
};

namespace fovea::emulator {

class Runtime {
 public:
  static Runtime& instance();

  std::recursive_mutex& mutex() { return mutex_; }

  /** The error that every call gives from now on, or success. */
  cudaError_t sticky() const { return sticky_; }
  void stick(cudaError_t error) { sticky_ = error; }

  /** What `cudaGetLastError` of this thread gives. */
  static cudaError_t& last();
  static int& device();

  cudaStream_t createStream(bool blocking);
  bool isStream(cudaStream_t stream) const { return streams_.contains(stream); }
  void destroyStream(cudaStream_t stream);
  cudaEvent_t createEvent(bool timing);
  bool isEvent(cudaEvent_t event) const { return events_.contains(event); }
  void destroyEvent(cudaEvent_t event);

  /** Puts work on a stream (null: the legacy default stream), or into the capture that the stream is part of. */
  void enqueue(cudaStream_t stream, std::function<cudaError_t()> work);
  cudaError_t record(cudaEvent_t event, cudaStream_t stream);
  cudaError_t wait(cudaStream_t stream, cudaEvent_t event);
  void launch(const std::vector<Item>& items, cudaStream_t stream);

  /** Runs until the stream, the event or everything is through. */
  void finish(cudaStream_t stream);
  void finish(cudaEvent_t event);
  void finishAll();
  /** Runs one item if there is one that can run: what time passing does. */
  void advance();
  bool idle(cudaStream_t stream) const { return stream->queue.empty(); }

  cudaError_t beginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
  cudaError_t endCapture(cudaStream_t stream, cudaGraph_t* graph);
  /** The capture that forbids this thread what may wait or allocate, or null. */
  Capture* forbidding() const;

  /** Counts live things by kind, for the books. */
  void count(const std::string& kind, int change) { books_[kind] += change; }
  std::string books() const;

 private:
  Runtime();
  bool canRun(cudaStream_t stream) const;
  void runHead(cudaStream_t stream);
  /** Runs one item of some stream, by preference of `wanted`. False when nothing can run. */
  bool step(cudaStream_t wanted);
  void push(cudaStream_t stream, Item item);

  std::recursive_mutex mutex_;
  cudaError_t sticky_ = cudaSuccess;
  std::set<cudaStream_t> streams_;
  std::set<cudaEvent_t> events_;
  std::set<Capture*> captures_;
  std::map<std::string, long> books_;
  std::mt19937_64 random_;
};

}  // namespace fovea::emulator
