#include "cuda/context.h"

#include <cstdio>
#include <utility>

#include "core/error.h"
#include "cuda/allocator.h"
#include "cuda/fault_slots.h"

namespace fovea::cuda {
namespace {

// cuBLAS recommends 32 MiB on Hopper and 4 MiB before; later devices are given as much as Hopper.
constexpr size_t kWorkspaceHopper = size_t{32} << 20, kWorkspaceBefore = size_t{4} << 20;

std::string mebibytes(size_t bytes) {
  char text[48];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / 1048576.0);
  return text;
}

int attribute(cudaDeviceAttr which, int ordinal) {
  int value = 0;
  const cudaError_t status = cudaDeviceGetAttribute(&value, which, ordinal);
  if (status != cudaSuccess) {
    throw Error("ERR_DEVICE", "cudaDeviceGetAttribute " + std::to_string(which) + ": " + statusText(status));
  }
  return value;
}

/** Attributes, not the fields of cudaDeviceProp that come and go with versions of CUDA. */
DeviceProperties propertiesOf(int ordinal) {
  cudaDeviceProp whole{};
  const cudaError_t status = cudaGetDeviceProperties(&whole, ordinal);
  if (status != cudaSuccess) throw Error("ERR_DEVICE", "cudaGetDeviceProperties: " + statusText(status));
  DeviceProperties p;
  p.name = whole.name;
  p.memoryBytes = whole.totalGlobalMem;
  p.major = attribute(cudaDevAttrComputeCapabilityMajor, ordinal);
  p.minor = attribute(cudaDevAttrComputeCapabilityMinor, ordinal);
  p.multiprocessors = attribute(cudaDevAttrMultiProcessorCount, ordinal);
  p.sharedBytesPerBlock = static_cast<size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlock, ordinal));
  p.sharedBytesPerBlockOptin = static_cast<size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, ordinal));
  p.threadsPerMultiprocessor = attribute(cudaDevAttrMaxThreadsPerMultiProcessor, ordinal);
  return p;
}

/** Whether a device is current on this thread. */
thread_local bool entered = false;
/** The context that stays entered on this thread. */
thread_local const Context* staying = nullptr;

}  // namespace

/** The allocator's segments. */
class Context::DeviceMemory final : public Allocator::Source {
 public:
  explicit DeviceMemory(Context& context) : context_(context) {}
  void* allocate(size_t bytes) override {
    context_.enter();
    void* memory = nullptr;
    const cudaError_t status = cudaMalloc(&memory, bytes);
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();  // Not sticky: taken off, or the next question would find it.
      return nullptr;
    }
    context_.check(status, "cudaMalloc", [&] { return mebibytes(bytes); });
    return memory;
  }
  void free(void* pointer) noexcept override {
    if (context_.canGiveBack()) cudaFree(pointer);
  }
  std::string state() override {
    size_t free = 0, total = 0;
    if (cudaMemGetInfo(&free, &total) != cudaSuccess) return "the device does not say what is free";
    return mebibytes(free) + " of " + mebibytes(total) + " are free on the device";
  }

 private:
  Context& context_;
};

DeviceArray::DeviceArray(Context& context, size_t bytes, std::string holder)
    : context_(&context), bytes_(bytes), holder_(std::move(holder)) {
  const auto allocate = [&] { return context.allocator().allocate(bytes); };
  MemoryBook* const book = context.book();
  data_ = book == nullptr ? allocate() : allocateBooked(*book, bytes, holder_, allocate);
  if (book == nullptr) holder_.clear();
}

DeviceArray::~DeviceArray() {
  if (data_ == nullptr) return;
  context_->allocator().free(data_);
  if (MemoryBook* const book = context_->book(); book != nullptr && !holder_.empty()) book->release(bytes_, holder_);
}

void DeviceArray::swap(DeviceArray& o) noexcept {
  std::swap(context_, o.context_);
  std::swap(data_, o.data_);
  std::swap(bytes_, o.bytes_);
  std::swap(holder_, o.holder_);
}

FaultSlot::~FaultSlot() { slots_->release(index_); }

FaultWord* FaultSlot::word() const { return slots_->word(index_); }

Context::Context(int ordinal, Options options)
    : ordinal_(ordinal),
      name_("cuda:" + std::to_string(ordinal)),
      options_(options),
      properties_(propertiesOf(ordinal)),
      deviceMemory_(std::make_unique<DeviceMemory>(*this)),
      allocator_(std::make_unique<Allocator>(*deviceMemory_, options.memoryLimit)) {}

Context::~Context() {
  faults_.reset();
  cublasWorkspace_ = DeviceArray();
  release();
  allocator_.reset();
}

void Context::enter() {
  if (dead()) {
    const std::lock_guard lock(deathMutex_);
    throw Error("ERR_DEVICE", death_);
  }
  if (staying == this) return;
  check(cudaSetDevice(ordinal_), "cudaSetDevice");
  entered = true;
  if (!started_.load(std::memory_order_acquire)) start();
}

Context::Entered::Entered(Context& context) {
  context.enter();
  staying = &context;
}

Context::Entered::~Entered() { staying = nullptr; }

bool Context::canGiveBack() noexcept {
  if (dead()) return false;
  if (!entered) entered = cudaSetDevice(ordinal_) == cudaSuccess;
  return true;
}

void Context::start() {
  const std::lock_guard lock(startMutex_);
  if (started_.load(std::memory_order_relaxed)) return;
  try {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    check(cudaStreamCreateWithFlags(&copyStream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  } catch (...) {
    release();
    throw;
  }
  started_.store(true, std::memory_order_release);
}

void Context::release() noexcept {
  const bool usable = !dead();
  if (usable) cudaSetDevice(ordinal_);  // The libraries' handles are of it.
  if (cublasLt_ != nullptr) cublasLtDestroy(cublasLt_);
  if (cublas_ != nullptr) cublasDestroy(cublas_);
  if (cudnn_ != nullptr) cudnnDestroy(cudnn_);
  if (usable && copyStream_ != nullptr) cudaStreamDestroy(copyStream_);
  if (usable && stream_ != nullptr) cudaStreamDestroy(stream_);
  cublasLt_ = nullptr;
  cublas_ = nullptr;
  cudnn_ = nullptr;
  copyStream_ = stream_ = nullptr;
}

cudnnHandle_t Context::cudnn() {
  if (cudnn_ == nullptr) {
    enter();
    cudnnHandle_t handle = nullptr;
    check(cudnnCreate(&handle), "cudnnCreate");
    const cudnnStatus_t status = cudnnSetStream(handle, stream_);
    if (status != CUDNN_STATUS_SUCCESS) cudnnDestroy(handle);
    check(status, "cudnnSetStream");
    cudnn_ = handle;
  }
  return cudnn_;
}

cublasHandle_t Context::cublas() {
  if (cublas_ == nullptr) {
    void* workspace = cublasWorkspace();
    cublasHandle_t handle = nullptr;
    check(cublasCreate(&handle), "cublasCreate");
    try {
      // The stream first: setting it gives the handle a workspace of its own again.
      check(cublasSetStream(handle, stream_), "cublasSetStream");
      check(cublasSetWorkspace(handle, workspace, cublasWorkspaceBytes()), "cublasSetWorkspace");
      check(cublasSetMathMode(handle, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION), "cublasSetMathMode");
    } catch (...) {
      cublasDestroy(handle);
      throw;
    }
    cublas_ = handle;
  }
  return cublas_;
}

cublasLtHandle_t Context::cublasLt() {
  if (cublasLt_ == nullptr) {
    enter();
    check(cublasLtCreate(&cublasLt_), "cublasLtCreate");
  }
  return cublasLt_;
}

void* Context::cublasWorkspace() {
  if (cublasWorkspace_.data() == nullptr) {
    enter();
    cublasWorkspaceBytes_ = properties_.major >= 9 ? kWorkspaceHopper : kWorkspaceBefore;
    try {
      cublasWorkspace_ = DeviceArray(*this, cublasWorkspaceBytes_, "workspace of cuBLAS");
    } catch (const Error& error) {
      // Hopper's algorithms like more; with less they are other ones.
      if (error.code() != "ERR_OUT_OF_MEMORY" || cublasWorkspaceBytes_ == kWorkspaceBefore) throw;
      cublasWorkspaceBytes_ = kWorkspaceBefore;
      cublasWorkspace_ = DeviceArray(*this, cublasWorkspaceBytes_, "workspace of cuBLAS");
    }
  }
  return cublasWorkspace_.data();
}

size_t Context::cublasWorkspaceBytes() {
  cublasWorkspace();
  return cublasWorkspaceBytes_;
}

std::string Context::holder(const std::string& what) const {
  return what + (op_.empty() ? "" : " of " + op_) + (layer_.empty() ? "" : " \"" + layer_ + "\"");
}

DeviceArray Context::upload(const char* what, const void* data, size_t bytes) {
  enter();
  DeviceArray array(*this, bytes, holder(what));
  if (bytes > 0) {
    const auto detail = [&] { return holder(what) + ", " + std::to_string(bytes) + " bytes"; };
    check(cudaMemcpyAsync(array.data(), data, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync", detail);
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize", detail);
  }
  return array;
}

std::shared_ptr<FaultSlot> Context::faultSlot(std::function<std::string(int64_t, int32_t)> message) {
  enter();
  if (!faults_) faults_ = std::make_shared<FaultSlots>(*this);
  return std::make_shared<FaultSlot>(faults_, faults_->add(std::move(message), op_, layer_));
}

void Context::blame(std::string op, std::string layer) {
  op_ = std::move(op);
  layer_ = std::move(layer);
}

FaultWord* Context::halt() const { return faults_ ? faults_->halt() : nullptr; }

uint64_t Context::faults() const { return faults_ ? faults_->faults() : 0; }

void Context::synchronize() {
  enter();
  try {
    if (faults_) faults_->fetch();
  } catch (...) {
    cudaStreamSynchronize(stream_);  // Whoever is told of a failure may free what the work before it still uses.
    throw;
  }
  check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  if (faults_) faults_->collect();
}

void Context::buryWhereSticky(cudaError_t status, const char* call, const std::string& detail) {
  if (!isSticky(status)) return;
  const std::lock_guard lock(deathMutex_);
  if (!dead()) {
    death_ = name_ + ": " + call + (detail.empty() ? "" : " (" + detail + ")") + ": " + statusText(status) +
             "; the device cannot be used again by this process: restart it";
    dead_.store(true, std::memory_order_release);
  }
  throw Error("ERR_DEVICE", death_);
}

void Context::fail(cudaError_t status, const char* call, const std::string& detail) {
  const cudaError_t last = cudaGetLastError();  // Takes off what is not sticky.
  buryWhereSticky(status, call, detail);
  buryWhereSticky(last, call, detail);
  throw Error(errorCode(status),
              name_ + ": " + call + (detail.empty() ? "" : " (" + detail + ")") + ": " + statusText(status));
}

void Context::fail(cudnnStatus_t status, const char* call, const std::string& detail) {
  const std::string text = statusText(status);
  buryWhereSticky(cudaGetLastError(), call, detail);
  throw Error(errorCode(status), name_ + ": " + call + (detail.empty() ? "" : " (" + detail + ")") + ": " + text);
}

void Context::fail(cublasStatus_t status, const char* call, const std::string& detail) {
  buryWhereSticky(cudaGetLastError(), call, detail);
  throw Error(errorCode(status),
              name_ + ": " + call + (detail.empty() ? "" : " (" + detail + ")") + ": " + statusText(status));
}

}  // namespace fovea::cuda
