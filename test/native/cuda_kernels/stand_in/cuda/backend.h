#pragma once

#include <cstring>
#include <new>

#include "core/backend.h"
#include "cuda/context.h"

/** @file Takes the place of the header of that name: the same kernels, on a device that is the host. */
namespace fovea::cuda {

class CudaBackend final : public Backend {
 public:
  CudaBackend() { info_.name = info_.kind = "cuda"; }
  Context& context() { return context_; }

  const DeviceInfo& info() const override { return info_; }
  Stream& stream() override { return context_; }
  void* allocate(size_t bytes) override { return ::operator new(bytes); }
  void free(void* pointer, size_t) noexcept override { ::operator delete(pointer); }
  void copyToDevice(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void copyToHost(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void zero(void* to, size_t bytes) override { std::memset(to, 0, bytes); }
  void synchronize() override { context_.synchronize(); }

  KernelPtr prepareElementwise(const ElementwiseDesc&) override;
  KernelPtr prepareElementwiseGroup(const ElementwiseGroupDesc&) override;
  KernelPtr prepareConv2d(const Conv2dDesc&) override { elsewhere(); }
  KernelPtr prepareConv2dBackwardInput(const Conv2dDesc&) override { elsewhere(); }
  KernelPtr prepareConv2dBackwardKernel(const Conv2dDesc&) override { elsewhere(); }
  KernelPtr prepareMaxPool2d(const Pool2dDesc&) override;
  KernelPtr prepareMaxPool2dBackward(const Pool2dDesc&) override;
  KernelPtr prepareAvgPool2d(const Pool2dDesc&) override;
  KernelPtr prepareAvgPool2dBackward(const Pool2dDesc&) override;
  KernelPtr prepareBatchNorm(const BatchNormDesc&) override;
  KernelPtr prepareBatchNormBackward(const BatchNormDesc&) override;
  KernelPtr prepareLrn(const LrnDesc&) override;
  KernelPtr prepareLrnBackward(const LrnDesc&) override;
  KernelPtr prepareMatmul(const MatmulDesc&) override { elsewhere(); }
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
  [[noreturn]] static void elsewhere() { throw Error("ERR_UNSUPPORTED", "cuDNN and cuBLAS are not here"); }
  Context context_;
  DeviceInfo info_;
};

}  // namespace fovea::cuda
