#include "emulator/runtime.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "emulator/config.h"
#include "emulator/memory.h"

namespace fovea::emulator {

Runtime& Runtime::instance() {
  static auto* const runtime = new Runtime;  // outlives every user
  return *runtime;
}

namespace {

void writeBooks() {
  const char* path = std::getenv("FOVEA_EMU_BOOKS");
  if (!path) return;
  if (std::FILE* file = std::fopen(path, "w")) {
    const std::string text = Runtime::instance().books();
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
}

}  // namespace

Runtime::Runtime() : random_(config().seed) { std::atexit(writeBooks); }

cudaError_t& Runtime::last() {
  thread_local cudaError_t error = cudaSuccess;
  return error;
}

int& Runtime::device() {
  thread_local int device = 0;
  return device;
}

cudaStream_t Runtime::createStream(bool blocking) {
  auto* stream = new CUstream_st;
  stream->device = device();
  stream->blocking = blocking;
  streams_.insert(stream);
  count("streams", 1);
  return stream;
}

void Runtime::destroyStream(cudaStream_t stream) {
  finish(stream);  // the real one lets the work end first
  streams_.erase(stream);
  count("streams", -1);
  delete stream;
}

cudaEvent_t Runtime::createEvent(bool timing) {
  auto* event = new CUevent_st;
  event->timing = timing;
  events_.insert(event);
  count("events", 1);
  return event;
}

void Runtime::destroyEvent(cudaEvent_t event) {
  finish(event);
  for (cudaStream_t stream : streams_) {
    // Waits for an event that was reached stay valid after its destruction.
    std::erase_if(stream->queue, [&](const Item& item) { return item.wait == event; });
  }
  events_.erase(event);
  count("events", -1);
  delete event;
}

void Runtime::push(cudaStream_t stream, Item item) {
  stream->queue.push_back(std::move(item));
  if (config().order == Order::kEager) finish(stream);
}

void Runtime::enqueue(cudaStream_t stream, std::function<cudaError_t()> work) {
  if (!stream) {  // the legacy stream waits for the blocking ones and holds them up
    for (cudaStream_t other : std::set<cudaStream_t>(streams_)) {
      if (other->blocking) finish(other);
    }
    const Memory::DeviceWork open;
    if (const cudaError_t error = work()) stick(error);
    return;
  }
  if (stream->capture) {
    Capture& capture = *stream->capture;
    capture.items.push_back({std::move(work)});
    Capture::Branch& branch = capture.branches[stream];
    ++branch.items;
    branch.joined = stream == capture.origin;
    return;
  }
  push(stream, {std::move(work)});
}

cudaError_t Runtime::record(cudaEvent_t event, cudaStream_t stream) {
  if (stream && stream->capture) {
    event->capture = stream->capture;
    event->capturedFrom = stream;
    event->capturedAt = stream->capture->branches[stream].items;
    return cudaSuccess;
  }
  event->capture = nullptr;
  Item item;
  item.record = event;
  item.generation = ++event->recorded;
  if (stream) {
    push(stream, std::move(item));
  } else {
    enqueue(nullptr, [] { return cudaSuccess; });
    event->reached = item.generation;
    event->when = std::chrono::steady_clock::now();
  }
  return cudaSuccess;
}

cudaError_t Runtime::wait(cudaStream_t stream, cudaEvent_t event) {
  if (event->capture && captures_.contains(event->capture)) {
    Capture& capture = *event->capture;
    if (stream->capture && stream->capture != &capture) {
      capture.invalid = stream->capture->invalid = true;
      return cudaErrorStreamCaptureMerge;
    }
    Capture::Branch& from = capture.branches[event->capturedFrom];
    if (from.items == event->capturedAt) from.joined = true;
    if (!stream->capture) {
      stream->capture = &capture;
      capture.branches[stream].joined = false;
    }
    return cudaSuccess;
  }
  if (stream->capture) {
    if (event->recorded > event->reached) {  // work outside the graph cannot be waited for inside
      stream->capture->invalid = true;
      return cudaErrorStreamCaptureIsolation;
    }
    return cudaSuccess;
  }
  Item item;
  item.wait = event;
  item.generation = event->recorded;
  push(stream, std::move(item));
  return cudaSuccess;
}

void Runtime::launch(const std::vector<Item>& items, cudaStream_t stream) {
  const Memory::DeviceWork open;  // once for all of it
  for (const Item& item : items) enqueue(stream, item.work);
}

bool Runtime::canRun(cudaStream_t stream) const {
  if (stream->queue.empty()) return false;
  const Item& head = stream->queue.front();
  return !head.wait || head.wait->reached >= head.generation;
}

void Runtime::runHead(cudaStream_t stream) {
  const Item item = std::move(stream->queue.front());
  stream->queue.pop_front();
  if (item.record) {
    item.record->reached = item.generation;
    item.record->when = std::chrono::steady_clock::now();
  } else if (item.work && sticky_ == cudaSuccess) {
    const Memory::DeviceWork open;
    if (const cudaError_t error = item.work()) stick(error);
  }
}

bool Runtime::step(cudaStream_t wanted) {
  std::vector<cudaStream_t> ready;
  for (cudaStream_t stream : streams_) {
    if (canRun(stream)) ready.push_back(stream);
  }
  if (ready.empty()) return false;
  if (config().order == Order::kShuffle) {
    runHead(ready[random_() % ready.size()]);
  } else {
    runHead(wanted && canRun(wanted) ? wanted : ready.front());
  }
  return true;
}

void Runtime::advance() { step(nullptr); }

namespace {

[[noreturn]] void deadlock() {
  std::fputs("emulator: deadlock: every stream waits for an event that no stream will reach\n", stderr);
  std::abort();
}

}  // namespace

void Runtime::finish(cudaStream_t stream) {
  const Memory::DeviceWork open;  // once for all of it
  while (!stream->queue.empty()) {
    if (!step(stream)) deadlock();
  }
}

void Runtime::finish(cudaEvent_t event) {
  const Memory::DeviceWork open;  // once for all of it
  while (event->reached < event->recorded) {
    if (!step(nullptr)) deadlock();
  }
}

void Runtime::finishAll() {
  const Memory::DeviceWork open;  // once for all of it
  while (step(nullptr)) {
  }
}

cudaError_t Runtime::beginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  if (!stream) return cudaErrorStreamCaptureUnsupported;
  if (stream->capture) return cudaErrorIllegalState;
  auto* capture = new Capture{stream, std::this_thread::get_id(), mode, false, {}, {}};
  capture->branches[stream];
  captures_.insert(capture);
  stream->capture = capture;
  return cudaSuccess;
}

cudaError_t Runtime::endCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  Capture* capture = stream->capture;
  if (!capture) return cudaErrorIllegalState;
  if (capture->origin != stream) return cudaErrorStreamCaptureUnmatched;
  if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id()) {
    return cudaErrorStreamCaptureWrongThread;
  }
  cudaError_t result = capture->invalid ? cudaErrorStreamCaptureInvalidated : cudaSuccess;
  for (const auto& [branch, state] : capture->branches) {
    if (branch != stream && !state.joined && result == cudaSuccess) result = cudaErrorStreamCaptureUnjoined;
    branch->capture = nullptr;
  }
  if (result == cudaSuccess) {
    *graph = new CUgraph_st{std::move(capture->items)};
    count("graphs", 1);
  }
  captures_.erase(capture);
  delete capture;
  return result;
}

Capture* Runtime::forbidding() const {
  for (Capture* capture : captures_) {
    if (capture->mode == cudaStreamCaptureModeGlobal ||
        (capture->mode == cudaStreamCaptureModeThreadLocal && capture->thread == std::this_thread::get_id())) {
      return capture;
    }
  }
  return nullptr;
}

std::string Runtime::books() const {
  std::string text = Memory::instance().describeLive();
  for (const auto& [kind, n] : books_) {
    if (n != 0) text += std::to_string(n) + " " + kind + "\n";
  }
  return text;
}

}  // namespace fovea::emulator
