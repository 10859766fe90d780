#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/descriptors.h"
#include "core/kernel.h"
#include "core/memory_book.h"

namespace fovea {

/** What a device is, as `devices()` reports it. */
struct DeviceInfo {
  std::string name;         ///< "cpu", "cuda:0"
  std::string kind;         ///< "cpu" or "cuda"
  std::string description;  ///< Processor and library with version.
  size_t memoryBytes = 0;
  std::vector<std::string> capabilities;
};

using KernelPtr = std::unique_ptr<Kernel>;

/** Launches that were recorded, to be enqueued again as one: the same kernels on the same pointers. */
class Recording {
 public:
  virtual ~Recording() = default;
  /** False where they could not be enqueued: one by one they may be. Throws where the device is to blame. */
  virtual bool replay() = 0;
};

/**
 * One device. One `prepare` method per kernel of docs/kernels.md; data, weight and bias gradients are kernels of their
 * own, never guessed from strides. A backend knows nothing of graphs, plans or JavaScript. Every method may throw
 * fovea::Error (`ERR_ARGUMENT` when the operands do not fit the kernel's contract, `ERR_OUT_OF_MEMORY`, `ERR_DEVICE`).
 * `prepare…` and `launch` are called on the engine thread only; `allocate`, `free`, `zero` and the copies on any, on
 * memory that no launched work uses.
 */
class Backend {
 public:
  virtual ~Backend() = default;
  virtual const DeviceInfo& info() const = 0;
  virtual Stream& stream() = 0;

  /** Device memory, 64-byte aligned, not initialised. Throws ERR_OUT_OF_MEMORY. */
  virtual void* allocate(size_t bytes) = 0;
  virtual void free(void* pointer, size_t bytes) noexcept = 0;
  /** Whether the host reads and writes the device's memory as its own. */
  virtual bool onHost() const { return false; }
  virtual void copyToDevice(void* to, const void* from, size_t bytes) = 0;
  virtual void copyToHost(void* to, const void* from, size_t bytes) = 0;
  virtual void zero(void* to, size_t bytes) = 0;
  /** Waits until all launched work has run. */
  virtual void synchronize() = 0;
  /** What is prepared next is blamed on this op and layer when it fails after its launch, in `synchronize`. */
  virtual void preparing(const std::string& op, const std::string& layer) {
    (void)op;
    (void)layer;
  }

  /** Where memory that kernels keep is booked from now on; null for nowhere. For devices with memory of their own. */
  virtual void bookTo(MemoryBook* book) { (void)book; }

  /** Enqueues a copy within the device's memory, as launches are. For devices that record. */
  virtual void copyWithin(void* to, const void* from, size_t bytes) { copyToDevice(to, from, bytes); }
  /** Whether `record` is worth calling. */
  virtual bool records() const { return false; }
  /**
   * Calls `launch` and records what it enqueues instead of running it. Kernels that are recorded have run before. Null
   * when that does not work: nothing has run then, and the same launches without recording say what was wrong.
   */
  virtual std::unique_ptr<Recording> record(const std::function<void()>& launch) {
    (void)launch;
    return nullptr;
  }

  virtual KernelPtr prepareElementwise(const ElementwiseDesc&) = 0;
  virtual KernelPtr prepareElementwiseGroup(const ElementwiseGroupDesc&) = 0;
  virtual KernelPtr prepareConv2d(const Conv2dDesc&) = 0;
  virtual KernelPtr prepareConv2dBackwardInput(const Conv2dDesc&) = 0;
  virtual KernelPtr prepareConv2dBackwardKernel(const Conv2dDesc&) = 0;
  virtual KernelPtr prepareMaxPool2d(const Pool2dDesc&) = 0;
  virtual KernelPtr prepareMaxPool2dBackward(const Pool2dDesc&) = 0;
  virtual KernelPtr prepareAvgPool2d(const Pool2dDesc&) = 0;
  virtual KernelPtr prepareAvgPool2dBackward(const Pool2dDesc&) = 0;
  virtual KernelPtr prepareBatchNorm(const BatchNormDesc&) = 0;
  virtual KernelPtr prepareBatchNormBackward(const BatchNormDesc&) = 0;
  virtual KernelPtr prepareLrn(const LrnDesc&) = 0;
  virtual KernelPtr prepareLrnBackward(const LrnDesc&) = 0;
  virtual KernelPtr prepareMatmul(const MatmulDesc&) = 0;
  virtual KernelPtr prepareSoftmax(const SoftmaxDesc&) = 0;
  virtual KernelPtr prepareLogSoftmax(const SoftmaxDesc&) = 0;
  virtual KernelPtr prepareSoftmaxBackward(const SoftmaxDesc&) = 0;
  virtual KernelPtr prepareLogSoftmaxBackward(const SoftmaxDesc&) = 0;
  virtual KernelPtr prepareSparseSoftmaxCrossEntropy(const SoftmaxDesc&) = 0;
  virtual KernelPtr prepareSparseSoftmaxCrossEntropyBackward(const SoftmaxDesc&) = 0;
  virtual KernelPtr prepareSoftmaxCrossEntropy(const SoftmaxDesc&) = 0;
  virtual KernelPtr prepareSoftmaxCrossEntropyBackward(const SoftmaxDesc&) = 0;
  virtual KernelPtr prepareDropout(const DropoutDesc&) = 0;
  virtual KernelPtr prepareRandom(const RandomDesc&) = 0;
  virtual KernelPtr prepareReduce(const ReduceDesc&) = 0;
  virtual KernelPtr prepareArgMax(const AxisDesc&) = 0;
  virtual KernelPtr prepareConcat(const AxisDesc&) = 0;
  virtual KernelPtr prepareSlice(const SliceDesc&) = 0;
  virtual KernelPtr preparePad(const PadDesc&) = 0;
  virtual KernelPtr prepareTranspose(const TransposeDesc&) = 0;
  virtual KernelPtr prepareOneHot(const PlainDesc&) = 0;
  virtual KernelPtr prepareGather(const AxisDesc&) = 0;
  virtual KernelPtr prepareScatterAdd(const AxisDesc&) = 0;
  virtual KernelPtr prepareResize(const ResizeDesc&) = 0;
  virtual KernelPtr prepareCopy(const PlainDesc&) = 0;
};

/** Makes the oneDNN backend; throws fovea::Error `ERR_DEVICE` with the reason when it cannot run here. */
std::unique_ptr<Backend> makeCpuBackend();

}  // namespace fovea
