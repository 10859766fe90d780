#include "core/error.h"
#include "cuda/backend.h"

/** @file Kernels that are still to come: weak, so that each goes as its family arrives. To be removed then. */
namespace fovea::cuda {
namespace {

[[noreturn]] void unfinished(const char* kernel) {
  throw Error("ERR_UNSUPPORTED", std::string("cuda has no kernel ") + kernel + " yet");
}

}  // namespace

#define FOVEA_UNFINISHED(method, desc) \
  __attribute__((weak)) KernelPtr CudaBackend::method(const desc&) { unfinished(#method); }

FOVEA_UNFINISHED(prepareElementwise, ElementwiseDesc)
FOVEA_UNFINISHED(prepareConv2d, Conv2dDesc)
FOVEA_UNFINISHED(prepareConv2dBackwardInput, Conv2dDesc)
FOVEA_UNFINISHED(prepareConv2dBackwardKernel, Conv2dDesc)
FOVEA_UNFINISHED(prepareMaxPool2d, Pool2dDesc)
FOVEA_UNFINISHED(prepareMaxPool2dBackward, Pool2dDesc)
FOVEA_UNFINISHED(prepareAvgPool2d, Pool2dDesc)
FOVEA_UNFINISHED(prepareAvgPool2dBackward, Pool2dDesc)
FOVEA_UNFINISHED(prepareBatchNorm, BatchNormDesc)
FOVEA_UNFINISHED(prepareBatchNormBackward, BatchNormDesc)
FOVEA_UNFINISHED(prepareLrn, LrnDesc)
FOVEA_UNFINISHED(prepareLrnBackward, LrnDesc)
FOVEA_UNFINISHED(prepareMatmul, MatmulDesc)
FOVEA_UNFINISHED(prepareSoftmax, SoftmaxDesc)
FOVEA_UNFINISHED(prepareLogSoftmax, SoftmaxDesc)
FOVEA_UNFINISHED(prepareSoftmaxBackward, SoftmaxDesc)
FOVEA_UNFINISHED(prepareLogSoftmaxBackward, SoftmaxDesc)
FOVEA_UNFINISHED(prepareSparseSoftmaxCrossEntropy, SoftmaxDesc)
FOVEA_UNFINISHED(prepareSparseSoftmaxCrossEntropyBackward, SoftmaxDesc)
FOVEA_UNFINISHED(prepareSoftmaxCrossEntropy, SoftmaxDesc)
FOVEA_UNFINISHED(prepareSoftmaxCrossEntropyBackward, SoftmaxDesc)
FOVEA_UNFINISHED(prepareDropout, DropoutDesc)
FOVEA_UNFINISHED(prepareRandom, RandomDesc)
FOVEA_UNFINISHED(prepareReduce, ReduceDesc)
FOVEA_UNFINISHED(prepareArgMax, AxisDesc)
FOVEA_UNFINISHED(prepareConcat, AxisDesc)
FOVEA_UNFINISHED(prepareSlice, SliceDesc)
FOVEA_UNFINISHED(preparePad, PadDesc)
FOVEA_UNFINISHED(prepareTranspose, TransposeDesc)
FOVEA_UNFINISHED(prepareOneHot, PlainDesc)
FOVEA_UNFINISHED(prepareGather, AxisDesc)
FOVEA_UNFINISHED(prepareScatterAdd, AxisDesc)
FOVEA_UNFINISHED(prepareResize, ResizeDesc)
FOVEA_UNFINISHED(prepareResizeBackward, ResizeDesc)
FOVEA_UNFINISHED(prepareCopy, PlainDesc)

#undef FOVEA_UNFINISHED

}  // namespace fovea::cuda
