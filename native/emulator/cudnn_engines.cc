#include "emulator/cudnn_descriptor.h"

/**
 * @file
 * Which engines there are for which operation graphs: fewer than the real library has, of every kind that it has, and
 * none for a graph for which it has none (cuDNN 9.24, precompiled engines, asked without a device).
 */
namespace fovea::emulator {
namespace {

/**
 * Operations as letters: C, D, W convolution forward, by data, by filter; b and z: add; r: ReLU; ? anything else. Where
 * the result is one pixel, a whole tensor and a bias look the same: the first of two counts as the tensor.
 */
std::string pattern(const Descriptor& graph) {
  std::string text;
  for (const DescriptorPtr& op : graph.need(CUDNN_ATTR_OPERATIONGRAPH_OPS).descriptors) {
    switch (op->type) {
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
        text += 'C';
        break;
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
        text += 'D';
        break;
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
        text += 'W';
        break;
      case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR: {
        const auto mode = op->child(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR)
                              ->get<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
        if (mode == CUDNN_POINTWISE_ADD) {
          const TensorView b(*op->child(CUDNN_ATTR_OPERATION_POINTWISE_BDESC));
          text += b.size() == b.dims[1] ? 'b' : 'z';
        } else {
          text += mode == CUDNN_POINTWISE_RELU_FWD ? 'r' : '?';
        }
        break;
      }
      default:
        text += '?';
    }
  }
  if (text.compare(0, 3, "Cbb") == 0) text[1] = 'z';
  return text;
}

struct Engine {
  int64_t index;
  std::vector<cudnnBackendNumericalNote_t> notes;
  int64_t workspace;
  bool needsRuntime = false;
};

DescriptorPtr configuration(const DescriptorPtr& graph, const Engine& e) {
  auto engine = std::make_shared<Descriptor>(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  engine->attributes[CUDNN_ATTR_ENGINE_OPERATION_GRAPH] = {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, {}, {graph}};
  engine->engine = e.index;
  engine->notes = e.notes;
  engine->workspace = e.workspace;
  engine->needsRuntime = e.needsRuntime;
  engine->finalized = true;
  auto config = std::make_shared<Descriptor>(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  config->attributes[CUDNN_ATTR_ENGINECFG_ENGINE] = {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, {}, {engine}};
  config->workspace = e.workspace;
  config->finalized = true;
  return config;
}

/** What is the same in all tensors that are memory: fused operands of another type have no engine. */
bool oneType(const Descriptor& graph) {
  const std::vector<TensorView> tensors = realTensors(graph);
  for (const TensorView& t : tensors) {
    if (t.type != tensors.front().type) return false;
  }
  return true;
}

bool depthwise(const Descriptor& graph) {
  const DescriptorPtr& op = graph.need(CUDNN_ATTR_OPERATIONGRAPH_OPS).descriptors.front();
  const bool filter = op->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR;
  const bool data = op->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR;
  const TensorView x(*op->child(filter ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X
                                : data ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX
                                       : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X));
  const TensorView w(*op->child(filter ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW
                                : data ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W
                                       : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W));
  return w.dims[1] == 1 && x.dims[1] > 1;
}

}  // namespace

std::vector<DescriptorPtr> configurations(const DescriptorPtr& graph, cudnnBackendHeurMode_t mode) {
  constexpr auto tensorCore = CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
  constexpr auto nondeterministic = CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
  const std::string ops = pattern(*graph);
  const bool single = ops == "C" || ops == "D" || ops == "W";
  const bool fused = ops == "Cb" || ops == "Cbr" || ops == "Czb" || ops == "Czbr";
  const bool compiled = ops == "Cbz" || ops == "Cbzr" || ops == "Cr" || ops == "Cz";
  std::vector<Engine> engines;
  if ((single || fused) && oneType(*graph)) {
    const bool wide = realTensors(*graph).front().type == CUDNN_DATA_FLOAT;
    if (mode == CUDNN_HEUR_MODE_FALLBACK) {
      if (ops == "W") engines.push_back({3, {nondeterministic}, 0});
      engines.push_back({0, {CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP}, ops == "W" ? 576 : 0});
    } else {
      engines.push_back({58, {tensorCore}, 0, true});
      if (!depthwise(*graph)) {
        engines.push_back({38, {tensorCore}, 128 << 10});
        if (ops == "W") engines.push_back({7, {tensorCore, nondeterministic}, 131});
        engines.push_back({39, {tensorCore}, 131});
        if (wide) engines.push_back({34, {}, 1 << 20});
      }
    }
  } else if (compiled || (fused && mode == CUDNN_HEUR_MODE_A)) {
    if (oneType(*graph)) engines.push_back({58, {tensorCore}, 0, true});
  }
  std::vector<DescriptorPtr> configs;
  for (const Engine& e : engines) configs.push_back(configuration(graph, e));
  return configs;
}

}  // namespace fovea::emulator
