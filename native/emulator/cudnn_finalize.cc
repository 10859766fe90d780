#include <algorithm>

#include "emulator/bridge.h"
#include "emulator/config.h"
#include "emulator/cudnn_descriptor.h"

/**
 * @file
 * What cudnnBackendFinalize demands. The statuses are those that the real library (9.24, without a device) gave to the
 * same descriptors; test/native/cudnn_oracle_test.cc asks both.
 */
namespace fovea::emulator {
namespace {

size_t elementBytes(cudnnDataType_t type) {
  switch (type) {
    case CUDNN_DATA_FLOAT:
    case CUDNN_DATA_INT32:
      return 4;
    case CUDNN_DATA_HALF:
    case CUDNN_DATA_BFLOAT16:
      return 2;
    case CUDNN_DATA_DOUBLE:
    case CUDNN_DATA_INT64:
      return 8;
    default:
      return 1;
  }
}

void finalizeTensor(Descriptor& d) {
  d.need(CUDNN_ATTR_TENSOR_UNIQUE_ID);
  const auto type = d.get<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE);
  const auto dims = d.list<int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS), strides = d.list<int64_t>(CUDNN_ATTR_TENSOR_STRIDES);
  if (dims.size() != strides.size()) badParameter("as many strides as dimensions");
  const auto alignment = d.get<int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
  if (alignment < static_cast<int64_t>(elementBytes(type))) badParameter("an alignment of at least an element");
}

void finalizeConvolution(Descriptor& d) {
  d.need(CUDNN_ATTR_CONVOLUTION_COMP_TYPE);
  d.need(CUDNN_ATTR_CONVOLUTION_CONV_MODE);
  const auto rank = static_cast<size_t>(d.get<int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS));
  for (int name : {CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES,
                   CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS}) {
    if (d.list<int64_t>(name).size() != rank) badParameter("one number per spatial dimension");
  }
  for (int name : {CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES}) {
    for (int64_t n : d.list<int64_t>(name)) {
      if (n < 1) badParameter("strides and dilations of at least 1");
    }
  }
}

void checkGeometry(const Descriptor& convolution, const TensorView& x, const TensorView& w, const TensorView& y) {
  const auto pre = convolution.list<int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS),
             post = convolution.list<int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS),
             strides = convolution.list<int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES),
             dilations = convolution.list<int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS);
  if (x.dims.size() != pre.size() + 2 || w.dims.size() != x.dims.size() || y.dims.size() != x.dims.size()) {
    badParameter("tensors of the convolution's rank");
  }
  if (x.dims[0] != y.dims[0]) badParameter("the same batch");
  if (w.dims[0] != y.dims[1]) badParameter("as many filters as output channels");
  if (x.dims[1] % w.dims[1] != 0) badParameter("filter channels that divide the input's");
  const int64_t groups = x.dims[1] / w.dims[1];
  if (w.dims[0] % groups != 0) badParameter("filters that divide into the groups");
  for (size_t i = 0; i < pre.size(); ++i) {
    const int64_t window = (w.dims[i + 2] - 1) * dilations[i] + 1;
    const int64_t room = x.dims[i + 2] + pre[i] + post[i] - window;
    if (room < 0 || y.dims[i + 2] != room / strides[i] + 1) badParameter("the spatial size of the output");
  }
}

void finalizeConvolutionOperation(Descriptor& d, int conv, int x, int w, int y) {
  checkGeometry(*d.child(conv), TensorView(*d.child(x)), TensorView(*d.child(w)), TensorView(*d.child(y)));
}

bool binary(cudnnPointwiseMode_t mode) { return mode == CUDNN_POINTWISE_ADD || mode == CUDNN_POINTWISE_MUL; }

void finalizePointwise(Descriptor& d) {
  const auto mode =
      d.child(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR)->get<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
  const TensorView x(*d.child(CUDNN_ATTR_OPERATION_POINTWISE_XDESC));
  const TensorView y(*d.child(CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
  if (x.dims != y.dims) badParameter("an output of the input's shape");
  if (!binary(mode)) return;
  const TensorView b(*d.child(CUDNN_ATTR_OPERATION_POINTWISE_BDESC));
  if (b.dims.size() != x.dims.size()) badParameter("operands of one rank");
  for (size_t i = 0; i < b.dims.size(); ++i) {
    if (b.dims[i] != 1 && b.dims[i] != x.dims[i]) badParameter("an operand that broadcasts");
  }
}

constexpr int kPlanHandle = 400;

void finalizePlan(Descriptor& d) {
  if (!d.has(kPlanHandle) && !d.has(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP)) {
    badParameter("a handle or the properties of a device");
  }
  if (d.has(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION)) {
    const auto text = d.list<char>(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION);
    d.attributes[CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG] = {
        CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, {}, {planFromJson(text.data())}};
  }
  const DescriptorPtr& config = d.child(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  const DescriptorPtr& engine = config->child(CUDNN_ATTR_ENGINECFG_ENGINE);
  if (engine->needsRuntime) {
    fail(CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING, "the emulator has no run-time compiler");
  }
  d.workspace = engine->workspace;
  d.json = planToJson(*config);
}

void finalizeVariantPack(Descriptor& d) {
  if (!d.has(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS)) return;
  const auto uids = d.list<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  if (d.list<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).size() != uids.size()) {
    badParameter("as many pointers as unique ids");
  }
}

void finalizeDeviceProperties(Descriptor& d) {
  if (d.has(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION)) {
    d.json = d.list<char>(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION).data();
    if (d.json.find("\"deviceVer\"") == std::string::npos) badParameter("device properties as JSON");
  } else if (__cudaEmuState()) {
    fail(CUDNN_STATUS_NOT_INITIALIZED, "no device to describe");
  } else {
    d.json = "{\"deviceVer\":" + std::to_string(config().sm * 10) + "}";
  }
}

}  // namespace

void finalize(Descriptor& d) {
  if (d.finalized) badParameter("the descriptor is finalized already");
  switch (d.type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
      finalizeTensor(d);
      break;
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
      finalizeConvolution(d);
      break;
    case CUDNN_BACKEND_POINTWISE_DESCRIPTOR:
      d.need(CUDNN_ATTR_POINTWISE_MODE);
      break;
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      finalizeConvolutionOperation(
          d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
      break;
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
      finalizeConvolutionOperation(
          d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY);
      break;
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
      finalizeConvolutionOperation(
          d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY);
      break;
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
      finalizePointwise(d);
      break;
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
      d.need(CUDNN_ATTR_OPERATIONGRAPH_OPS);
      break;
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
      d.configs = configurations(d.child(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH),
                                 d.get<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE));
      break;
    case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR:
      d.need(CUDNN_ATTR_ENGINECFG_ENGINE);
      d.workspace = d.child(CUDNN_ATTR_ENGINECFG_ENGINE)->workspace;
      break;
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR: {
      // An engine chosen by number has to be one that the graph has.
      const auto index = d.get<int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
      const DescriptorPtr& graph = d.child(CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
      bool found = false;
      for (cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
        for (const DescriptorPtr& config : configurations(graph, mode)) {
          const DescriptorPtr& engine = config->child(CUDNN_ATTR_ENGINECFG_ENGINE);
          if (engine->engine != index) continue;
          found = true;
          d.engine = index;
          d.notes = engine->notes;
          d.workspace = engine->workspace;
          d.needsRuntime = engine->needsRuntime;
        }
      }
      if (!found) fail(CUDNN_STATUS_NOT_SUPPORTED, "an engine of this graph");
      break;
    }
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
      finalizePlan(d);
      break;
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
      finalizeVariantPack(d);
      break;
    case CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR:
      finalizeDeviceProperties(d);
      break;
    default:
      break;
  }
  d.finalized = true;
}

TensorView::TensorView(const Descriptor& d) {
  if (d.type != CUDNN_BACKEND_TENSOR_DESCRIPTOR) badParameter("a tensor descriptor");
  uid = d.get<int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
  type = d.get<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE);
  dims = d.list<int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS);
  strides = d.list<int64_t>(CUDNN_ATTR_TENSOR_STRIDES);
  alignment = d.get<int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
  isVirtual = d.has(CUDNN_ATTR_TENSOR_IS_VIRTUAL) && d.get<char>(CUDNN_ATTR_TENSOR_IS_VIRTUAL) != 0;
}

int64_t TensorView::size() const {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}

size_t TensorView::bytes() const {
  int64_t last = 0;
  for (size_t i = 0; i < dims.size(); ++i) last += (dims[i] - 1) * strides[i];
  return static_cast<size_t>(last + 1) * elementBytes(type);
}

}  // namespace fovea::emulator
