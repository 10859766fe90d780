#include "cuda/backend.h"

#include <algorithm>
#include <string>
#include <utility>

#include "cuda/allocator.h"
#include "cuda/conv_plans.h"
#include "cuda/recording.h"
#include "cuda/staging.h"

namespace fovea::cuda {
namespace {

std::string version(int number, int major, int minor) {
  return std::to_string(number / major) + "." + std::to_string(number % major / minor);
}

}  // namespace

std::string libraryVersions() {
  int runtime = 0;
  cudaRuntimeGetVersion(&runtime);
  const auto cudnn = static_cast<int>(cudnnGetVersion());
  return "CUDA " + version(runtime, 1000, 10) + ", cuDNN " + version(cudnn, 10000, 100) + "." +
         std::to_string(cudnn % 100);
}

CudaBackend::CudaBackend(int ordinal, const PluginSettings& settings)
    : context_(std::make_unique<Context>(ordinal, Options::fromEnvironment())),
      staging_(std::make_unique<Staging>(*context_)),
      tuningFolder_(settings.tuningFolder) {
  const DeviceProperties& p = context_->properties();
  constexpr int kLeastSm = 75;
  if (p.sm() < kLeastSm) {
    throw Error("ERR_UNSUPPORTED",
                p.name + " has compute capability " + version(p.sm(), 10, 1) + ", and 7.5 (Turing) or later is needed");
  }
  info_.name = context_->name();
  info_.kind = "cuda";
  info_.memoryBytes =
      context_->options().memoryLimit != 0 ? std::min(context_->options().memoryLimit, p.memoryBytes) : p.memoryBytes;
  info_.description = p.name + ", compute capability " + version(p.sm(), 10, 1) + ", " +
                      std::to_string(p.multiprocessors) + " multiprocessors, " + libraryVersions();
  info_.capabilities.push_back("sm" + std::to_string(p.sm()));
  info_.capabilities.push_back("f16");
  if (p.major >= 8) {
    info_.capabilities.push_back("bf16");
    info_.capabilities.push_back("tf32");
  }
  info_.capabilities.push_back("graphs");
}

CudaBackend::~CudaBackend() = default;

ConvPlans& CudaBackend::plans() {
  if (!plans_) {
    context_->enter();
    plans_ = std::make_unique<ConvPlans>(*context_, tuningFolder_);
  }
  return *plans_;
}

Stream& CudaBackend::stream() { return *context_; }

void* CudaBackend::allocate(size_t bytes) {
  context_->enter();
  return context_->allocator().allocate(bytes);
}

void CudaBackend::free(void* pointer, size_t) noexcept { context_->allocator().free(pointer); }

void CudaBackend::copyToDevice(void* to, const void* from, size_t bytes) { staging_->toDevice(to, from, bytes); }

void CudaBackend::copyToHost(void* to, const void* from, size_t bytes) { staging_->toHost(to, from, bytes); }

void CudaBackend::zero(void* to, size_t bytes) {
  if (bytes == 0) return;
  context_->enter();
  const auto detail = [&] { return std::to_string(bytes) + " bytes"; };
  context_->check(cudaMemsetAsync(to, 0, bytes, context_->copyStream()), "cudaMemsetAsync", detail);
  context_->check(cudaStreamSynchronize(context_->copyStream()), "cudaStreamSynchronize", detail);
}

void CudaBackend::synchronize() { context_->synchronize(); }

void CudaBackend::preparing(const std::string& op, const std::string& layer) { context_->blame(op, layer); }

void CudaBackend::bookTo(MemoryBook* book) { context_->bookTo(book); }

void CudaBackend::copyWithin(void* to, const void* from, size_t bytes) {
  context_->enter();
  context_->check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, context_->stream()), "cudaMemcpyAsync",
                  [&] { return "copy within the device of " + std::to_string(bytes) + " bytes"; });
}

bool CudaBackend::records() const { return context_->options().graphs && !context_->dead(); }

std::unique_ptr<Recording> CudaBackend::record(const std::function<void()>& launch) {
  return recordGraph(*context_, launch);
}

}  // namespace fovea::cuda
