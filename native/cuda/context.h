#pragma once

#include <cublasLt.h>
#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <vector>

#include "core/kernel.h"
#include "core/memory_book.h"
#include "cuda/check.h"
#include "cuda/kernels/fault.h"
#include "cuda/options.h"

namespace fovea::cuda {

class Allocator;
class Context;
class FaultSlots;

/** What kernels and plans are chosen by. */
struct DeviceProperties {
  std::string name;
  int major = 0, minor = 0;  ///< Compute capability.
  int multiprocessors = 0;
  size_t memoryBytes = 0;
  size_t sharedBytesPerBlock = 0;       ///< Without asking.
  size_t sharedBytesPerBlockOptin = 0;  ///< At most, after cudaFuncSetAttribute.
  int threadsPerMultiprocessor = 0;
  int sm() const { return 10 * major + minor; }
};

/** Device memory that a prepared kernel owns, booked for it: constants, packed weights. */
class DeviceArray {
 public:
  DeviceArray() = default;
  /** @param holder who has it, for statistics and messages: see Context::holder */
  DeviceArray(Context& context, size_t bytes, std::string holder);
  ~DeviceArray();
  DeviceArray(DeviceArray&& o) noexcept { swap(o); }
  DeviceArray& operator=(DeviceArray&& o) noexcept {
    swap(o);
    return *this;
  }
  void* data() const { return data_; }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  size_t bytes() const { return bytes_; }

 private:
  void swap(DeviceArray& o) noexcept;
  Context* context_ = nullptr;
  void* data_ = nullptr;
  size_t bytes_ = 0;
  std::string holder_;
};

/** The fault word of one prepared kernel; given back by the destructor. */
class FaultSlot {
 public:
  FaultSlot(std::shared_ptr<FaultSlots> slots, size_t index) : slots_(std::move(slots)), index_(index) {}
  ~FaultSlot();
  FaultSlot(const FaultSlot&) = delete;
  FaultSlot& operator=(const FaultSlot&) = delete;
  /** Device memory: for the kernel's `Args`. */
  FaultWord* word() const;

 private:
  std::shared_ptr<FaultSlots> slots_;
  size_t index_;
};

/**
 * One device: its stream, library handles, memory and errors. Used on the engine thread but for what is said to be safe
 * on any; `enter` comes first on each thread.
 */
class Context final : public Stream {
 public:
  /** Throws ERR_DEVICE. */
  Context(int ordinal, Options options);
  ~Context() override;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  int device() const { return ordinal_; }
  /** "cuda:0". */
  const std::string& name() const { return name_; }
  const DeviceProperties& properties() const { return properties_; }
  int multiprocessors() const { return properties_.multiprocessors; }
  const Options& options() const { return options_; }

  /**
   * Makes the device the thread's current one, and at the first call its streams and memory; throws the first sticky
   * error where there was one. Any thread.
   */
  void enter();
  /** Enters, and while it lives no other device is entered on this thread: `enter` has nothing to do. */
  class Entered {
   public:
    explicit Entered(Context& context);
    ~Entered();
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;
  };
  /**
   * Whether memory, streams and graphs can be given back: not those of a dead device. Whichever device is current will
   * do for that, and none has to be made current but on a thread that has none yet, which would open the first of them.
   */
  bool canGiveBack() noexcept;
  /** Whether a sticky error has made the device unusable. Any thread. */
  bool dead() const { return dead_.load(std::memory_order_acquire); }

  // What follows needs an `enter` before.

  /** Kernels and libraries work on this stream. */
  cudaStream_t stream() const { return stream_; }
  /** Copies from and to the host. */
  cudaStream_t copyStream() const { return copyStream_; }
  /** Made at the first call, on the engine thread. */
  cudnnHandle_t cudnn();
  cublasHandle_t cublas();
  cublasLtHandle_t cublasLt();
  /** Scratch of the two cuBLAS, `cublasWorkspaceBytes` large: all work on the stream shares it. Made when first asked.
   */
  void* cublasWorkspace();
  size_t cublasWorkspaceBytes();

  Allocator& allocator() { return *allocator_; }

  /** Where device arrays are booked; null for nowhere. Any thread. */
  void bookTo(MemoryBook* book) { book_.store(book, std::memory_order_release); }
  MemoryBook* book() const { return book_.load(std::memory_order_acquire); }
  /** "packed weights of conv2d "block1/conv"": `what` the kernel that is being prepared keeps. */
  std::string holder(const std::string& what) const;

  /** A copy of `data` in device memory, booked as `what`: for constants at prepare time (waits for the copy). */
  DeviceArray upload(const char* what, const void* data, size_t bytes);
  template <class T>
  DeviceArray upload(const char* what, const std::vector<T>& data) {
    static_assert(std::is_trivially_copyable_v<T>);
    return upload(what, data.data(), data.size() * sizeof(T));
  }

  /**
   * A fault word for a kernel that is being prepared. `message(position, value)` makes the text of the ERR_EXECUTION
   * that `synchronize` throws when the kernel has reported.
   */
  std::shared_ptr<FaultSlot> faultSlot(std::function<std::string(int64_t position, int32_t value)> message);
  /** For launches: see `halted` in kernels/block.h. Null while no kernel can fail. */
  FaultWord* halt() const;
  /** Changes whenever launches were left out because of a fault. */
  uint64_t faults() const;
  /** Op and layer that fault slots and device arrays made from now on are blamed on. */
  void blame(std::string op, std::string layer);

  /** Waits for the stream; throws what went wrong on it, and the first reported fault. */
  void synchronize();

  /**
   * Throws unless `status` is success: ERR_OUT_OF_MEMORY, ERR_EXECUTION, or ERR_DEVICE when the device is dead from now
   * on. `detail` is a string or a function that makes one: op and sizes.
   */
  template <class Status, class Detail>
  void check(Status status, const char* call, const Detail& detail) {
    if (status == Status{}) [[likely]]
      return;
    if constexpr (std::is_invocable_v<Detail>) {
      fail(status, call, detail());
    } else {
      fail(status, call, detail);
    }
  }
  template <class Status>
  void check(Status status, const char* call) {
    check(status, call, "");
  }

 private:
  [[noreturn]] void fail(cudaError_t status, const char* call, const std::string& detail);
  [[noreturn]] void fail(cudnnStatus_t status, const char* call, const std::string& detail);
  [[noreturn]] void fail(cublasStatus_t status, const char* call, const std::string& detail);
  /** Throws when the device is dead because of `status`, or of what the runtime says after a library's failure. */
  void buryWhereSticky(cudaError_t status, const char* call, const std::string& detail);
  void start();
  void release() noexcept;

  class DeviceMemory;

  const int ordinal_;
  const std::string name_;
  const Options options_;
  DeviceProperties properties_;
  std::atomic<bool> dead_{false};
  std::atomic<MemoryBook*> book_{nullptr};
  std::mutex deathMutex_;
  std::string death_;
  cudaStream_t stream_ = nullptr, copyStream_ = nullptr;
  cudnnHandle_t cudnn_ = nullptr;
  cublasHandle_t cublas_ = nullptr;
  cublasLtHandle_t cublasLt_ = nullptr;
  std::mutex startMutex_;
  std::atomic<bool> started_{false};
  std::unique_ptr<DeviceMemory> deviceMemory_;
  std::unique_ptr<Allocator> allocator_;
  DeviceArray cublasWorkspace_;
  size_t cublasWorkspaceBytes_ = 0;
  std::shared_ptr<FaultSlots> faults_;
  std::string op_, layer_;
};

}  // namespace fovea::cuda
