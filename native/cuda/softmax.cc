#include <algorithm>
#include <bit>
#include <string>

#include "cuda/backend.h"
#include "cuda/kernel.h"
#include "cuda/kernels/softmax.h"

/** @file Softmax, its logarithm and the two cross-entropies over the last axis, each with its gradient. */
namespace fovea::cuda {
namespace {

SoftmaxGeometry geometry(int64_t rows, int64_t c) {
  // Four elements a thread before another one joins in.
  const auto lanes = std::bit_ceil(static_cast<uint64_t>(std::clamp<int64_t>(c / 4, 1, kThreads)));
  return {rows, c, static_cast<int>(lanes)};
}

/** For softmax-like kernels: all operands float and of one shape. */
SoftmaxGeometry sameShapes(const char* kernel, const SoftmaxDesc& d, size_t inputs) {
  const Check check(kernel, d);
  check.counts(inputs, 1);
  const TensorDesc& x = d.inputs[0];
  check.floats(x, "an input");
  check.rankAtLeast(x, "an input", 1);
  for (const TensorDesc& t : d.inputs) check.tensor(t, "an input", DType::kFloat32, x.dims);
  check.tensor(d.outputs[0], "an output", DType::kFloat32, x.dims);
  return geometry(product(x.dims, 0, x.dims.size() - 1), x.dims.back());
}

SoftmaxGeometry lossShapes(const char* kernel, const SoftmaxDesc& d, bool sparse, bool backward) {
  const Check check(kernel, d);
  check.counts(backward ? 3 : 2, 1);
  const TensorDesc& x = d.inputs[0];
  check.floats(x, "logits");
  check.rank(x, "logits", 2);
  const int64_t n = x.dims[0], c = x.dims[1];
  check.that(c > 0 || n == 0, "one class or more", fovea::describe(x));
  if (sparse) {
    check.tensor(d.inputs[1], "labels", DType::kInt32, {n});
  } else {
    check.tensor(d.inputs[1], "targets", DType::kFloat32, x.dims);
  }
  if (backward) check.tensor(d.inputs[2], "dloss", DType::kFloat32, {n});
  check.tensor(d.outputs[0], backward ? "dlogits" : "loss", DType::kFloat32, backward ? x.dims : Dims{n});
  return geometry(n, c);
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
  const SoftmaxGeometry g = sameShapes("softmax", d, 1);
  if (g.rows * g.c == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0, [g](Context& context, const Pointers& p) {
    launchRows<Softmax<false>>(context, "softmax", g, {in<float>(p, 0), out<float>(p, 0), g});
  });
}

KernelPtr CudaBackend::prepareLogSoftmax(const SoftmaxDesc& d) {
  const SoftmaxGeometry g = sameShapes("logSoftmax", d, 1);
  if (g.rows * g.c == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0, [g](Context& context, const Pointers& p) {
    launchRows<Softmax<true>>(context, "logSoftmax", g, {in<float>(p, 0), out<float>(p, 0), g});
  });
}

KernelPtr CudaBackend::prepareSoftmaxBackward(const SoftmaxDesc& d) {
  const SoftmaxGeometry g = sameShapes("softmaxBackward", d, 2);
  if (g.rows * g.c == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0, [g](Context& context, const Pointers& p) {
    launchRows<SoftmaxBackward<false>>(context, "softmaxBackward", g,
                                       {in<float>(p, 0), in<float>(p, 1), out<float>(p, 0), g});
  });
}

KernelPtr CudaBackend::prepareLogSoftmaxBackward(const SoftmaxDesc& d) {
  const SoftmaxGeometry g = sameShapes("logSoftmaxBackward", d, 2);
  if (g.rows * g.c == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0, [g](Context& context, const Pointers& p) {
    launchRows<SoftmaxBackward<true>>(context, "logSoftmaxBackward", g,
                                      {in<float>(p, 0), in<float>(p, 1), out<float>(p, 0), g});
  });
}

KernelPtr CudaBackend::prepareSparseSoftmaxCrossEntropy(const SoftmaxDesc& d) {
  constexpr const char* kName = "sparseSoftmaxCrossEntropy";
  const SoftmaxGeometry g = lossShapes(kName, d, true, false);
  if (g.rows == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0,
                    [g, fault = labelFault(context(), kName, g.c)](Context& context, const Pointers& p) {
                      launchRows<SparseCrossEntropy>(
                          context, kName, g, {in<float>(p, 0), in<int32_t>(p, 1), out<float>(p, 0), g, fault->word()});
                    });
}

KernelPtr CudaBackend::prepareSparseSoftmaxCrossEntropyBackward(const SoftmaxDesc& d) {
  constexpr const char* kName = "sparseSoftmaxCrossEntropyBackward";
  const SoftmaxGeometry g = lossShapes(kName, d, true, true);
  if (g.rows == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0,
                    [g, fault = labelFault(context(), kName, g.c)](Context& context, const Pointers& p) {
                      launchRows<SparseCrossEntropyBackward>(
                          context, kName, g,
                          {in<float>(p, 0), in<int32_t>(p, 1), in<float>(p, 2), out<float>(p, 0), g, fault->word()});
                    });
}

KernelPtr CudaBackend::prepareSoftmaxCrossEntropy(const SoftmaxDesc& d) {
  const SoftmaxGeometry g = lossShapes("softmaxCrossEntropy", d, false, false);
  if (g.rows == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0, [g](Context& context, const Pointers& p) {
    launchRows<CrossEntropy>(context, "softmaxCrossEntropy", g,
                             {in<float>(p, 0), in<float>(p, 1), out<float>(p, 0), g});
  });
}

KernelPtr CudaBackend::prepareSoftmaxCrossEntropyBackward(const SoftmaxDesc& d) {
  const SoftmaxGeometry g = lossShapes("softmaxCrossEntropyBackward", d, false, true);
  if (g.rows == 0) return makeNothing(context());
  return makeKernel(context(), "own", 0, [g](Context& context, const Pointers& p) {
    launchRows<CrossEntropyBackward>(context, "softmaxCrossEntropyBackward", g,
                                     {in<float>(p, 0), in<float>(p, 1), in<float>(p, 2), out<float>(p, 0), g});
  });
}

}  // namespace fovea::cuda
