#include "cuda/graph/conv_graph.h"

#include <utility>

namespace fovea::cuda::graph {
namespace {

constexpr int64_t kAlignment = 16;
enum Virtual : int64_t { kConvolved = 101, kAdded = 102, kBiased = 103 };

struct Shape4 {
  int64_t n, c, h, w;  // cuDNN's order of dimensions, whatever the layout
};

/** A tensor of layout n, h, w, c; a virtual one is a float32 value between two operations. */
Descriptor tensor(int64_t uid, cudnnDataType_t type, const Shape4& s, bool isVirtual = false) {
  Descriptor d(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  d.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, uid);
  d.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, isVirtual ? CUDNN_DATA_FLOAT : type);
  d.set(CUDNN_ATTR_TENSOR_DIMENSIONS, {s.n, s.c, s.h, s.w});
  d.set(CUDNN_ATTR_TENSOR_STRIDES, {s.c * s.h * s.w, 1, s.c * s.w, s.c});
  d.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, kAlignment);
  if (isVirtual) d.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, true);
  d.finalize("tensor descriptor");
  return d;
}

Descriptor convolution(const ConvGeometry& g) {
  Descriptor d(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  d.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
  d.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION);
  d.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, int64_t{2});
  d.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {g.top, g.left});
  d.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {g.bottom, g.right});
  d.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {g.sh, g.sw});
  d.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {g.dh, g.dw});
  d.finalize("convolution descriptor");
  return d;
}

/** The attribute names of one direction. */
struct Direction {
  cudnnBackendDescriptorType_t type;
  cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
};

Direction directionOf(ConvKind kind) {
  switch (kind) {
    case ConvKind::kForward:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
    case ConvKind::kBackwardInput:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    default:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
  }
}

Descriptor pointwise(cudnnPointwiseMode_t mode) {
  Descriptor d(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  d.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, mode);
  d.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
  d.finalize("pointwise descriptor");
  return d;
}

Descriptor pointwiseOperation(const Descriptor& mode, const Descriptor& x, const Descriptor* b, const Descriptor& y) {
  Descriptor d(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  d.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, mode);
  d.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
  if (b != nullptr) d.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
  d.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  d.finalize("pointwise operation");
  return d;
}

}  // namespace

cudnnDataType_t dataType(DType type) {
  switch (type) {
    case DType::kFloat32:
      return CUDNN_DATA_FLOAT;
    case DType::kBfloat16:
      return CUDNN_DATA_BFLOAT16;
    case DType::kFloat16:
      return CUDNN_DATA_HALF;
    default:
      throw Error("ERR_ARGUMENT", std::string("cuDNN: expected a type of real numbers, received ") + nameOf(type));
  }
}

ConvProblem ConvProblem::of(const ConvGeometry& geometry) {
  ConvProblem p;
  p.geometry = geometry;
  if (geometry.kind == ConvKind::kForward) {
    p.relu = geometry.relu;
    p.residual = geometry.residual;
    p.bias = geometry.bias || geometry.relu || geometry.residual;
  }
  return p;
}

std::string ConvProblem::key() const {
  const ConvGeometry& g = geometry;
  std::string key = nameOf(g.kind);
  key.append(" ").append(nameOf(g.type));
  for (int64_t v : {g.n, g.h, g.w, g.c, g.oh, g.ow, g.o, g.kh, g.kw, g.sh, g.sw, g.dh, g.dw, g.top, g.bottom, g.left,
                    g.right, g.groups}) {
    key.append(" ").append(std::to_string(v));
  }
  if (bias) key += " bias";
  if (residual) key += " residual";
  if (relu) key += " relu";
  return key;
}

std::string ConvProblem::describe() const {
  const ConvGeometry& g = geometry;
  return std::string(nameOf(g.kind)) + " of " + nameOf(g.type) + ", x " + fovea::describe(Dims{g.n, g.h, g.w, g.c}) +
         ", kernel " + fovea::describe(Dims{g.kh, g.kw, g.cg(), g.o}) + ", y " +
         fovea::describe(Dims{g.n, g.oh, g.ow, g.o}) + ", strides " + fovea::describe(Dims{g.sh, g.sw}) +
         ", dilations " + fovea::describe(Dims{g.dh, g.dw}) + ", padding " +
         fovea::describe(Dims{g.top, g.bottom, g.left, g.right}) + ", groups " + std::to_string(g.groups) +
         (residual ? ", residual" : "") + (bias ? ", bias" : "") + (relu ? ", ReLU" : "");
}

ConvProblem ConvProblem::withoutPadding() const {
  ConvProblem p = *this;
  ConvGeometry& g = p.geometry;
  g.h += g.top + g.bottom;
  g.w += g.left + g.right;
  g.top = g.bottom = g.left = g.right = 0;
  return p;
}

ConvGraph::ConvGraph(const ConvProblem& problem, cudnnHandle_t handle) {
  const ConvGeometry& g = problem.geometry;
  const cudnnDataType_t type = dataType(g.type);
  const Shape4 output{g.n, g.o, g.oh, g.ow};
  const auto keep = [&](Descriptor d) -> const Descriptor& { return parts_.emplace_back(std::move(d)); };
  const auto between = [&](int64_t uid) -> const Descriptor& { return keep(tensor(uid, type, output, true)); };

  const bool plain = !problem.bias && !problem.residual && !problem.relu;
  const Descriptor& y = keep(tensor(kY, type, output));
  const Descriptor* value = plain ? &y : &between(kConvolved);
  const Direction direction = directionOf(g.kind);
  Descriptor op(direction.type);
  op.set(direction.convolution, keep(convolution(g)));
  op.set(direction.x, keep(tensor(kX, type, {g.n, g.c, g.h, g.w})));
  op.set(direction.w, keep(tensor(kW, type, {g.o, g.cg(), g.kh, g.kw})));
  op.set(direction.y, *value);
  op.set(direction.alpha, CUDNN_TYPE_FLOAT, 1.0f);
  op.set(direction.beta, CUDNN_TYPE_FLOAT, 0.0f);
  op.finalize(nameOf(g.kind));
  std::vector<cudnnBackendDescriptor_t> operations{keep(std::move(op)).get()};

  const auto add = [&](const Descriptor& mode, const Descriptor* operand, const Descriptor& to) {
    operations.push_back(keep(pointwiseOperation(mode, *value, operand, to)).get());
    value = &to;
  };
  if (problem.residual) {
    add(keep(pointwise(CUDNN_POINTWISE_ADD)), &keep(tensor(kResidual, type, output)), between(kAdded));
  }
  if (problem.bias) {
    add(keep(pointwise(CUDNN_POINTWISE_ADD)), &keep(tensor(kBias, type, {1, g.o, 1, 1})),
        problem.relu ? between(kBiased) : y);
  }
  if (problem.relu) add(keep(pointwise(CUDNN_POINTWISE_RELU_FWD)), nullptr, y);

  graph_ = Descriptor(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph_.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operations.data(),
             static_cast<int64_t>(operations.size()));
  // Deprecated, and described as required: versions of cuDNN differ.
  if (handle != nullptr) graph_.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, handle);
  graph_.finalize("operation graph");
}

}  // namespace fovea::cuda::graph
