#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/backend.h"
#include "core/plugin.h"
#include "cuda/context.h"

namespace fovea::cuda {

class ConvPlans;
class Staging;

/** "CUDA 13.0, cuDNN 9.24.0": the libraries that were loaded. */
std::string libraryVersions();

/**
 * One NVIDIA device: cuDNN for convolutions, cuBLAS for products, own kernels for the rest. Launches are asynchronous
 * on the context's stream; errors that only the data can show come out of `synchronize`.
 */
class CudaBackend final : public Backend {
 public:
  /** Throws ERR_DEVICE where the device cannot be used. */
  CudaBackend(int ordinal, const PluginSettings& settings);
  ~CudaBackend() override;

  Context& context() { return *context_; }
  /** Made at the first call, on the engine thread. */
  ConvPlans& plans();

  const DeviceInfo& info() const override { return info_; }
  Stream& stream() override;
  void* allocate(size_t bytes) override;
  void free(void* pointer, size_t bytes) noexcept override;
  void copyToDevice(void* to, const void* from, size_t bytes) override;
  void copyToHost(void* to, const void* from, size_t bytes) override;
  void zero(void* to, size_t bytes) override;
  void synchronize() override;
  void preparing(const std::string& op, const std::string& layer) override;
  void bookTo(MemoryBook* book) override;
  void copyWithin(void* to, const void* from, size_t bytes) override;
  bool records() const override;
  std::unique_ptr<Recording> record(const std::function<void()>& launch) override;

  KernelPtr prepareElementwise(const ElementwiseDesc&) override;
  KernelPtr prepareElementwiseGroup(const ElementwiseGroupDesc&) override;
  KernelPtr prepareConv2d(const Conv2dDesc&) override;
  KernelPtr prepareConv2dBackwardInput(const Conv2dDesc&) override;
  KernelPtr prepareConv2dBackwardKernel(const Conv2dDesc&) override;
  KernelPtr prepareMaxPool2d(const Pool2dDesc&) override;
  KernelPtr prepareMaxPool2dBackward(const Pool2dDesc&) override;
  KernelPtr prepareAvgPool2d(const Pool2dDesc&) override;
  KernelPtr prepareAvgPool2dBackward(const Pool2dDesc&) override;
  KernelPtr prepareBatchNorm(const BatchNormDesc&) override;
  KernelPtr prepareBatchNormBackward(const BatchNormDesc&) override;
  KernelPtr prepareLrn(const LrnDesc&) override;
  KernelPtr prepareLrnBackward(const LrnDesc&) override;
  KernelPtr prepareMatmul(const MatmulDesc&) override;
  KernelPtr prepareSoftmax(const SoftmaxDesc&) override;
  KernelPtr prepareLogSoftmax(const SoftmaxDesc&) override;
  KernelPtr prepareSoftmaxBackward(const SoftmaxDesc&) override;
  KernelPtr prepareLogSoftmaxBackward(const SoftmaxDesc&) override;
  KernelPtr prepareSparseSoftmaxCrossEntropy(const SoftmaxDesc&) override;
  KernelPtr prepareSparseSoftmaxCrossEntropyBackward(const SoftmaxDesc&) override;
  KernelPtr prepareSoftmaxCrossEntropy(const SoftmaxDesc&) override;
  KernelPtr prepareSoftmaxCrossEntropyBackward(const SoftmaxDesc&) override;
  KernelPtr prepareDropout(const DropoutDesc&) override;
  KernelPtr prepareRandom(const RandomDesc&) override;
  KernelPtr prepareReduce(const ReduceDesc&) override;
  KernelPtr prepareArgMax(const AxisDesc&) override;
  KernelPtr prepareConcat(const AxisDesc&) override;
  KernelPtr prepareSlice(const SliceDesc&) override;
  KernelPtr preparePad(const PadDesc&) override;
  KernelPtr prepareTranspose(const TransposeDesc&) override;
  KernelPtr prepareOneHot(const PlainDesc&) override;
  KernelPtr prepareGather(const AxisDesc&) override;
  KernelPtr prepareScatterAdd(const AxisDesc&) override;
  KernelPtr prepareResize(const ResizeDesc&) override;
  KernelPtr prepareCopy(const PlainDesc&) override;

 private:
  std::unique_ptr<Context> context_;
  std::unique_ptr<Staging> staging_;
  std::unique_ptr<ConvPlans> plans_;
  std::string tuningFolder_;
  DeviceInfo info_;
};

}  // namespace fovea::cuda
