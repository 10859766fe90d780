#include <algorithm>
#include <bit>
#include <string>

#include "core/softmax_geometry.h"
#include "cuda/backend.h"
#include "cuda/kernel.h"
#include "cuda/kernels/softmax.h"

/** @file Softmax, its logarithm and the two cross-entropies over the last axis, each with its gradient. */
namespace fovea::cuda {
namespace {

SoftmaxGeometry geometry(const SoftmaxRows& s) {
  // Four elements a thread before another one joins in.
  const auto lanes = std::bit_ceil(static_cast<uint64_t>(std::clamp<int64_t>(s.c / 4, 1, kThreads)));
  return {s.rows, s.c, static_cast<int>(lanes)};
}

template <class K>
void launchRows(Context& context, const char* name, const SoftmaxGeometry& g, const typename K::Args& args) {
  Shape shape = gridFor(context, g.rows * g.lanes);
  shape.sharedBytes = sizeof(float) * kSoftmaxCells * shape.threads;
  launchChecked<K>(context, name, shape, args);
}

std::shared_ptr<FaultSlot> labelFault(Context& context, const char* name, int64_t c) {
  return context.faultSlot([=](int64_t row, int32_t label) {
    return std::string(name) + ": expected labels from 0 to " + std::to_string(c - 1) + ", received label " +
           std::to_string(label) + " in row " + std::to_string(row);
  });
}

}  // namespace

KernelPtr CudaBackend::prepareSoftmax(const SoftmaxDesc& d) {
  const SoftmaxGeometry g = geometry(parseSoftmax("softmax", d, 1));
  if (g.rows * g.c == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0, [g](Context& context, const Pointers& p) {
    launchRows<Softmax<false>>(context, "softmax", g, {in<float>(p, 0), out<float>(p, 0), g});
  });
}

KernelPtr CudaBackend::prepareLogSoftmax(const SoftmaxDesc& d) {
  const SoftmaxGeometry g = geometry(parseSoftmax("logSoftmax", d, 1));
  if (g.rows * g.c == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0, [g](Context& context, const Pointers& p) {
    launchRows<Softmax<true>>(context, "logSoftmax", g, {in<float>(p, 0), out<float>(p, 0), g});
  });
}

KernelPtr CudaBackend::prepareSoftmaxBackward(const SoftmaxDesc& d) {
  const SoftmaxGeometry g = geometry(parseSoftmax("softmaxBackward", d, 2));
  if (g.rows * g.c == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0, [g](Context& context, const Pointers& p) {
    launchRows<SoftmaxBackward<false>>(context, "softmaxBackward", g,
                                       {in<float>(p, 0), in<float>(p, 1), out<float>(p, 0), g});
  });
}

KernelPtr CudaBackend::prepareLogSoftmaxBackward(const SoftmaxDesc& d) {
  const SoftmaxGeometry g = geometry(parseSoftmax("logSoftmaxBackward", d, 2));
  if (g.rows * g.c == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0, [g](Context& context, const Pointers& p) {
    launchRows<SoftmaxBackward<true>>(context, "logSoftmaxBackward", g,
                                      {in<float>(p, 0), in<float>(p, 1), out<float>(p, 0), g});
  });
}

KernelPtr CudaBackend::prepareSparseSoftmaxCrossEntropy(const SoftmaxDesc& d) {
  constexpr const char* kName = "sparseSoftmaxCrossEntropy";
  const SoftmaxGeometry g = geometry(parseCrossEntropy(kName, d, true, false));
  if (g.rows == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0,
                    [g, fault = labelFault(context(), kName, g.c)](Context& context, const Pointers& p) {
                      launchRows<SparseCrossEntropy>(
                          context, kName, g, {in<float>(p, 0), in<int32_t>(p, 1), out<float>(p, 0), g, fault->word()});
                    });
}

KernelPtr CudaBackend::prepareSparseSoftmaxCrossEntropyBackward(const SoftmaxDesc& d) {
  constexpr const char* kName = "sparseSoftmaxCrossEntropyBackward";
  const SoftmaxGeometry g = geometry(parseCrossEntropy(kName, d, true, true));
  if (g.rows == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0,
                    [g, fault = labelFault(context(), kName, g.c)](Context& context, const Pointers& p) {
                      launchRows<SparseCrossEntropyBackward>(
                          context, kName, g,
                          {in<float>(p, 0), in<int32_t>(p, 1), in<float>(p, 2), out<float>(p, 0), g, fault->word()});
                    });
}

KernelPtr CudaBackend::prepareSoftmaxCrossEntropy(const SoftmaxDesc& d) {
  const SoftmaxGeometry g = geometry(parseCrossEntropy("softmaxCrossEntropy", d, false, false));
  if (g.rows == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0, [g](Context& context, const Pointers& p) {
    launchRows<CrossEntropy>(context, "softmaxCrossEntropy", g,
                             {in<float>(p, 0), in<float>(p, 1), out<float>(p, 0), g});
  });
}

KernelPtr CudaBackend::prepareSoftmaxCrossEntropyBackward(const SoftmaxDesc& d) {
  const SoftmaxGeometry g = geometry(parseCrossEntropy("softmaxCrossEntropyBackward", d, false, true));
  if (g.rows == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0, [g](Context& context, const Pointers& p) {
    launchRows<CrossEntropyBackward>(context, "softmaxCrossEntropyBackward", g,
                                     {in<float>(p, 0), in<float>(p, 1), in<float>(p, 2), out<float>(p, 0), g});
  });
}

}  // namespace fovea::cuda
