#include "cuda/staging.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>

namespace fovea::cuda {
namespace {

constexpr size_t kHalf = size_t{4} << 20;

std::string copyDetail(const char* direction, size_t bytes) {
  return std::string(direction) + " of " + std::to_string(bytes) + " bytes";
}

/** After a failure no copy may still use the pinned memory. */
class Drain {
 public:
  explicit Drain(cudaStream_t stream) : stream_(stream) {}
  ~Drain() {
    if (std::uncaught_exceptions() > exceptions_) cudaStreamSynchronize(stream_);
  }
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

 private:
  cudaStream_t stream_;
  int exceptions_ = std::uncaught_exceptions();
};

}  // namespace

Staging::~Staging() { release(); }

void Staging::release() noexcept {
  for (int i = 0; i < 2; ++i) {
    if (half_[i] != nullptr) cudaFreeHost(half_[i]);
    if (done_[i] != nullptr) cudaEventDestroy(done_[i]);
    half_[i] = nullptr;
    done_[i] = nullptr;
  }
}

void Staging::reserve() {
  if (done_[1] != nullptr) return;
  try {
    for (int i = 0; i < 2; ++i) {
      void* memory = nullptr;
      context_.check(cudaHostAlloc(&memory, kHalf, cudaHostAllocDefault), "cudaHostAlloc",
                     [] { return copyDetail("pinned memory", kHalf); });
      half_[i] = static_cast<std::byte*>(memory);
      context_.check(cudaEventCreateWithFlags(&done_[i], cudaEventDisableTiming), "cudaEventCreateWithFlags");
    }
  } catch (...) {
    release();
    throw;
  }
}

void Staging::toDevice(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  const std::lock_guard lock(mutex_);
  context_.enter();
  reserve();
  const Drain drain(context_.copyStream());
  const auto detail = [&] { return copyDetail("copy to the device", bytes); };
  int i = 0;
  for (size_t at = 0; at < bytes; at += kHalf, i ^= 1) {
    const size_t n = std::min(kHalf, bytes - at);
    // The copy before the last has left this half.
    if (at >= 2 * kHalf) context_.check(cudaEventSynchronize(done_[i]), "cudaEventSynchronize", detail);
    std::memcpy(half_[i], static_cast<const std::byte*>(from) + at, n);
    context_.check(
        cudaMemcpyAsync(static_cast<std::byte*>(to) + at, half_[i], n, cudaMemcpyHostToDevice, context_.copyStream()),
        "cudaMemcpyAsync", detail);
    context_.check(cudaEventRecord(done_[i], context_.copyStream()), "cudaEventRecord", detail);
  }
  context_.check(cudaStreamSynchronize(context_.copyStream()), "cudaStreamSynchronize", detail);
}

void Staging::toHost(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  const std::lock_guard lock(mutex_);
  context_.enter();
  reserve();
  const Drain drain(context_.copyStream());
  const auto detail = [&] { return copyDetail("copy to the host", bytes); };
  const auto fetch = [&](size_t at, int i) {
    const size_t n = std::min(kHalf, bytes - at);
    context_.check(cudaMemcpyAsync(half_[i], static_cast<const std::byte*>(from) + at, n, cudaMemcpyDeviceToHost,
                                   context_.copyStream()),
                   "cudaMemcpyAsync", detail);
    context_.check(cudaEventRecord(done_[i], context_.copyStream()), "cudaEventRecord", detail);
  };
  int i = 0;
  fetch(0, i);
  for (size_t at = 0; at < bytes; at += kHalf, i ^= 1) {
    if (at + kHalf < bytes) fetch(at + kHalf, i ^ 1);
    context_.check(cudaEventSynchronize(done_[i]), "cudaEventSynchronize", detail);
    std::memcpy(static_cast<std::byte*>(to) + at, half_[i], std::min(kHalf, bytes - at));
  }
}

}  // namespace fovea::cuda
