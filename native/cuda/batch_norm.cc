#include <algorithm>
#include <bit>
#include <type_traits>

#include "core/batch_norm_geometry.h"
#include "cuda/backend.h"
#include "cuda/kernel.h"
#include "cuda/kernels/batch_norm.h"
#include "cuda/types.h"

/** @file Batch normalization: statistics of chunks of rows, their merging, and a pass over the elements. */
namespace fovea::cuda {
namespace {

constexpr int64_t kTasks = 1024;  ///< Blocks that fill any device; its size must not change the sums.
constexpr int64_t kMostChunks = 256;

NormGeometry geometry(int64_t m, int64_t c) {
  NormGeometry g{};
  g.m = m;
  g.c = c;
  g.columns = static_cast<int>(std::bit_ceil(static_cast<uint64_t>(std::clamp<int64_t>(c, 1, 32))));
  g.lanes = kNormThreads / g.columns;
  const int64_t byWork = m / (int64_t{g.lanes} * kNormRows);
  g.chunks = std::clamp<int64_t>(std::min(byWork, kTasks / std::max<int64_t>(g.tiles(), 1)), 1, kMostChunks);
  g.chunkRows = (m + g.chunks - 1) / g.chunks;
  return g;
}

Shape chunkShape(const Context& context, const NormGeometry& g, size_t cell) {
  Shape shape = gridFor(context, g.tiles() * g.chunks * kNormThreads, kNormThreads);
  shape.sharedBytes = cell * kNormThreads;
  return shape;
}

Shape joinShape(const Context& context, const NormGeometry& g, size_t cell) {
  Shape shape = gridFor(context, g.c * kNormJoinLanes, kNormThreads);
  shape.sharedBytes = cell * kNormThreads;
  return shape;
}

template <class T>
KernelPtr forward(Context& context, const NormGeometry& g, double epsilon, bool relu) {
  constexpr const char* kName = "batchNorm";
  Layout layout;
  const size_t partials = layout.take(sizeof(double) * 2 * g.c * g.chunks);
  const size_t factors = layout.take(sizeof(float) * 2 * g.c);
  return makeKernel(context, "own", layout.bytes(), [=](Context& context, const Pointers& p) {
    auto* part = at<double>(p.workspace, partials);
    float *scale = at<float>(p.workspace, factors), *shift = scale + g.c;
    launchChecked<BatchNormStatistics<T>>(context, kName, chunkShape(context, g, sizeof(norm::Moments)),
                                          {in<T>(p, 0), g, part});
    launchChecked<BatchNormFactors>(
        context, kName, joinShape(context, g, sizeof(norm::Moments)),
        {part, g, epsilon, in<float>(p, 1), in<float>(p, 2), out<float>(p, 1), out<float>(p, 2), scale, shift});
    const int64_t n = g.m * g.c;
    if (n == 0) return;
    launchChecked<BatchNormNormalize<T>>(
        context, kName, gridFor(context, n),
        {in<T>(p, 0), out<T>(p, 0), n, Divisor(g.c), out<float>(p, 1), scale, shift, relu});
  });
}

template <class T>
KernelPtr backward(Context& context, const NormGeometry& g, double epsilon, bool masked) {
  constexpr const char* kName = "batchNormBackward";
  Layout layout;
  const size_t partials = layout.take(sizeof(double) * 2 * g.c * g.chunks);
  const size_t factors = layout.take(sizeof(float) * 3 * g.c);
  return makeKernel(context, "own", layout.bytes(), [=](Context& context, const Pointers& p) {
    auto* part = at<double>(p.workspace, partials);
    float *a = at<float>(p.workspace, factors), *b = a + g.c, *k = b + g.c;
    const T *x = in<T>(p, 0), *dy = in<T>(p, 4), *y = masked ? in<T>(p, 5) : nullptr;
    const float *gamma = in<float>(p, 1), *mean = in<float>(p, 2), *variance = in<float>(p, 3);
    launchChecked<BatchNormGradientSums<T>>(context, kName, chunkShape(context, g, sizeof(norm::Sums)),
                                            {x, dy, y, mean, g, part});
    launchChecked<BatchNormGradientFactors>(
        context, kName, joinShape(context, g, sizeof(norm::Sums)),
        {part, g, epsilon, gamma, variance, out<float>(p, 1), out<float>(p, 2), a, b, k});
    const int64_t n = g.m * g.c;
    if (n == 0) return;
    launchChecked<BatchNormGradient<T>>(context, kName, gridFor(context, n),
                                        {x, dy, y, out<T>(p, 0), n, Divisor(g.c), mean, a, b, k});
  });
}

}  // namespace

KernelPtr CudaBackend::prepareBatchNorm(const BatchNormDesc& d) {
  const BatchNormGeometry g = parseBatchNorm(d);
  if (g.c == 0) return makeNothing(context());
  return withFloatType(g.type, [&](auto* type) {
    return forward<std::remove_pointer_t<decltype(type)>>(context(), geometry(g.m, g.c), d.epsilon, g.relu);
  });
}

KernelPtr CudaBackend::prepareBatchNormBackward(const BatchNormDesc& d) {
  const BatchNormGeometry g = parseBatchNormBackward(d);
  if (g.c == 0) return makeNothing(context());
  return withFloatType(g.type, [&](auto* type) {
    return backward<std::remove_pointer_t<decltype(type)>>(context(), geometry(g.m, g.c), d.epsilon, g.relu);
  });
}

}  // namespace fovea::cuda
