#pragma once

#include "core/backend.h"
#include "cpu/winners.h"

namespace fovea::cpu {

/**
 * The processor: oneDNN for convolutions and products, own vectorised loops for the rest. Launches run at once on the
 * calling (engine) thread and its OpenMP pool, so `synchronize` has nothing to wait for.
 */
class CpuBackend final : public Backend {
 public:
  CpuBackend();

  /** Forbids algorithms that trade accuracy for speed (Winograd) in kernels prepared later; FOVEA_EXACT=1 does too. */
  void setExact(bool exact) { exact_ = exact; }

  const DeviceInfo& info() const override { return info_; }
  Stream& stream() override { return stream_; }
  void* allocate(size_t bytes) override;
  bool onHost() const override { return true; }
  void free(void* pointer, size_t bytes) noexcept override;
  void copyToDevice(void* to, const void* from, size_t bytes) override;
  void copyToHost(void* to, const void* from, size_t bytes) override;
  void zero(void* to, size_t bytes) override;
  void synchronize() override {}

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
  DeviceInfo info_;
  Stream stream_;
  bool exact_ = false;
  std::unique_ptr<Winners> winners_;
};

}  // namespace fovea::cpu
