#include "cuda/reduce.h"

#include <algorithm>
#include <bit>

#include "core/reduce_geometry.h"
#include "cuda/backend.h"
#include "cuda/kernels/reduce.h"

namespace fovea::cuda {
namespace {

constexpr int64_t kTasks = 1024;  ///< Blocks that fill any device; its size must not change the sums.
constexpr int64_t kMostChunks = 256;
constexpr int64_t kLaneWork = 16;  ///< Positions a thread deserves before a chunk or a lane is added.

int powerOfTwo(int64_t n) { return static_cast<int>(std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(n, 1)))); }

Walk walk(const Dims& dims, const Dims& strides) {
  if (dims.size() > kReduceAxes) {
    throw Error("ERR_UNSUPPORTED", "reduce: expected at most " + std::to_string(kReduceAxes) +
                                       " groups of axes, received " + std::to_string(dims.size()));
  }
  Walk w;
  w.rank = static_cast<int>(dims.size());
  for (size_t i = 0; i < dims.size(); ++i) {
    w.dims[i] = Divisor(dims[i]);
    w.strides[i] = strides[i];
  }
  return w;
}

}  // namespace

Reduction::Reduction(ReduceMode mode, DType x, const Dims& xDims, const std::vector<int64_t>& axes, DType y)
    : mode_(mode), x_(x), y_(y), plan_(plan(xDims, axes)) {}

Reduction::Plan Reduction::plan(const Dims& dims, const std::vector<int64_t>& axes) {
  Plan p;
  int64_t stride = product(dims);
  bool last = false;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] > 0) stride /= dims[i];
    const bool reduced = std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) != axes.end();
    (reduced ? p.total : p.outputs) *= dims[i];
    if (dims[i] == 1) continue;
    Dims& sizes = reduced ? p.reducedDims : p.keptDims;
    Dims& strides = reduced ? p.reducedStrides : p.keptStrides;
    const bool joins = !sizes.empty() && strides.back() == stride * dims[i];
    if (joins) {
      sizes.back() *= dims[i];
      strides.back() = stride;
    } else {
      sizes.push_back(dims[i]);
      strides.push_back(stride);
    }
    last = reduced;
  }
  p.divisor = static_cast<double>(p.total);
  p.lanesTogether = last;
  // Neighbouring threads read neighbouring elements: along the outputs, or along the reduced positions.
  const int fewest = p.lanesTogether ? 1 : powerOfTwo(std::min<int64_t>(p.outputs, 32));
  p.lanes = std::min(powerOfTwo(p.total / kLaneWork), kReduceThreads / fewest);
  p.columns = kReduceThreads / p.lanes;
  const int64_t tiles = std::max<int64_t>((p.outputs + p.columns - 1) / p.columns, 1);
  p.chunks = std::clamp<int64_t>(std::min(kTasks / tiles, p.total / (p.lanes * kLaneWork)), 1, kMostChunks);
  p.chunkSize = (p.total + p.chunks - 1) / p.chunks;
  return p;
}

size_t Reduction::workspaceBytes() const {
  return plan_.chunks == 1 ? 0 : static_cast<size_t>(plan_.outputs * plan_.chunks) * sizeof(double);
}

template <class X>
void Reduction::runAs(Context& context, const char* op, const void* x, void* y, void* workspace) const {
  using Wide = reduction::Wide<X>;
  typename Reduce<X>::Args args{};
  args.x = static_cast<const X*>(x);
  args.mode = mode_;
  args.kept = walk(plan_.keptDims, plan_.keptStrides);
  args.reduced = walk(plan_.reducedDims, plan_.reducedStrides);
  args.outputs = plan_.outputs;
  args.total = plan_.total;
  args.columns = plan_.columns;
  args.lanes = plan_.lanes;
  args.lanesTogether = plan_.lanesTogether;
  args.chunks = plan_.chunks;
  args.chunkSize = plan_.chunkSize;
  args.partials = plan_.chunks == 1 ? nullptr : static_cast<Wide*>(workspace);
  args.result = {y, y_, mode_ == ReduceMode::kMean ? plan_.divisor : 1};
  const int64_t tiles = (plan_.outputs + plan_.columns - 1) / plan_.columns;
  Shape shape = gridFor(context, tiles * plan_.chunks * kReduceThreads, kReduceThreads);
  shape.sharedBytes = sizeof(Wide) * kReduceThreads;
  launchChecked<Reduce<X>>(context, op, shape, args);
  if (plan_.chunks == 1) return;
  shape = gridFor(context, plan_.outputs * kJoinLanes, kReduceThreads);
  shape.sharedBytes = sizeof(Wide) * kReduceThreads;
  launchChecked<JoinChunks<Wide>>(context, op, shape, {args.partials, mode_, plan_.outputs, plan_.chunks, args.result});
}

void Reduction::run(Context& context, const char* op, const void* x, void* y, void* workspace) const {
  if (plan_.outputs == 0) return;
  switch (x_) {
    case DType::kBfloat16:
      return runAs<BFloat16>(context, op, x, y, workspace);
    case DType::kFloat16:
      return runAs<Float16>(context, op, x, y, workspace);
    case DType::kInt32:
      return runAs<int32_t>(context, op, x, y, workspace);
    default:
      return runAs<float>(context, op, x, y, workspace);
  }
}

KernelPtr CudaBackend::prepareReduce(const ReduceDesc& d) {
  checkReduce(d);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  const Reduction reduction(d.mode, x.dtype, x.dims, d.axes, y.dtype);
  return makeKernel(context(), "own", reduction.workspaceBytes(), [reduction](Context& context, const Pointers& p) {
    reduction.run(context, "reduce", p.inputs[0], p.outputs[0], p.workspace);
  });
}

KernelPtr CudaBackend::prepareArgMax(const AxisDesc& d) {
  const ArgMaxGeometry g = parseArgMax(d);
  const int64_t outputs = g.outer * g.inner;
  if (outputs == 0) return makeNothing(context());
  const int lanes = g.inner > 1 ? 1 : std::min(powerOfTwo(g.axis / kLaneWork), kReduceThreads);
  const auto kernel = [&](auto* type) {
    using X = std::remove_pointer_t<decltype(type)>;
    return makeKernel(context(), "own", 0, [=](Context& context, const Pointers& p) {
      Shape shape = gridFor(context, outputs * lanes, kReduceThreads);
      shape.sharedBytes = sizeof(typename ArgMax<X>::Best) * kReduceThreads;
      launchChecked<ArgMax<X>>(context, "argMax", shape,
                               {in<X>(p, 0), out<int32_t>(p, 0), outputs, g.axis, g.inner, lanes});
    });
  };
  switch (d.inputs[0].dtype) {
    case DType::kBfloat16:
      return kernel(static_cast<BFloat16*>(nullptr));
    case DType::kFloat16:
      return kernel(static_cast<Float16*>(nullptr));
    case DType::kInt32:
      return kernel(static_cast<int32_t*>(nullptr));
    default:
      return kernel(static_cast<float*>(nullptr));
  }
}

}  // namespace fovea::cuda
