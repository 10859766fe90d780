#include "emulator/cudnn_descriptor.h"

namespace fovea::emulator {
namespace {

struct Field {
  cudnnBackendAttributeType_t type;
  int64_t most = 1;
};
using Fields = std::map<int, Field>;

constexpr int64_t kMaxDims = 8, kMany = 64;
// The handles are deprecated enumerators; numbers say nothing to -Wdeprecated.
constexpr int kPlanHandle = 400, kGraphHandle = 800;

const std::map<int, Fields>& schema() {
  constexpr auto i64 = CUDNN_TYPE_INT64;
  constexpr auto descriptor = CUDNN_TYPE_BACKEND_DESCRIPTOR;
  constexpr auto number = CUDNN_TYPE_FLOAT;
  static const std::map<int, Fields> table = {
      {CUDNN_BACKEND_TENSOR_DESCRIPTOR,
       {{CUDNN_ATTR_TENSOR_UNIQUE_ID, {i64}},
        {CUDNN_ATTR_TENSOR_DATA_TYPE, {CUDNN_TYPE_DATA_TYPE}},
        {CUDNN_ATTR_TENSOR_DIMENSIONS, {i64, kMaxDims}},
        {CUDNN_ATTR_TENSOR_STRIDES, {i64, kMaxDims}},
        {CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {i64}},
        {CUDNN_ATTR_TENSOR_IS_VIRTUAL, {CUDNN_TYPE_BOOLEAN}},
        {CUDNN_ATTR_TENSOR_IS_BY_VALUE, {CUDNN_TYPE_BOOLEAN}}}},
      {CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR,
       {{CUDNN_ATTR_CONVOLUTION_COMP_TYPE, {CUDNN_TYPE_DATA_TYPE}},
        {CUDNN_ATTR_CONVOLUTION_CONV_MODE, {CUDNN_TYPE_CONVOLUTION_MODE}},
        {CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {i64}},
        {CUDNN_ATTR_CONVOLUTION_DILATIONS, {i64, kMaxDims}},
        {CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {i64, kMaxDims}},
        {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {i64, kMaxDims}},
        {CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {i64, kMaxDims}}}},
      {CUDNN_BACKEND_POINTWISE_DESCRIPTOR,
       {{CUDNN_ATTR_POINTWISE_MODE, {CUDNN_TYPE_POINTWISE_MODE}},
        {CUDNN_ATTR_POINTWISE_MATH_PREC, {CUDNN_TYPE_DATA_TYPE}},
        {CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, {CUDNN_TYPE_DOUBLE}},
        {CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, {CUDNN_TYPE_DOUBLE}}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, {number}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, {number}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, {descriptor}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, {descriptor}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, {descriptor}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, {descriptor}}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, {number}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, {number}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, {descriptor}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, {descriptor}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, {descriptor}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, {descriptor}}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, {number}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, {number}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, {descriptor}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, {descriptor}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, {descriptor}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, {descriptor}}}},
      {CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, {descriptor}},
        {CUDNN_ATTR_OPERATION_POINTWISE_XDESC, {descriptor}},
        {CUDNN_ATTR_OPERATION_POINTWISE_BDESC, {descriptor}},
        {CUDNN_ATTR_OPERATION_POINTWISE_YDESC, {descriptor}},
        {CUDNN_ATTR_OPERATION_POINTWISE_ALPHA1, {number}},
        {CUDNN_ATTR_OPERATION_POINTWISE_ALPHA2, {number}},
        {CUDNN_ATTR_OPERATION_POINTWISE_DXDESC, {descriptor}},
        {CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, {descriptor}}}},
      {CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATIONGRAPH_OPS, {descriptor, kMany}}, {kGraphHandle, {CUDNN_TYPE_HANDLE}}}},
      {CUDNN_BACKEND_ENGINE_DESCRIPTOR,
       {{CUDNN_ATTR_ENGINE_OPERATION_GRAPH, {descriptor}},
        {CUDNN_ATTR_ENGINE_GLOBAL_INDEX, {i64}},
        {CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, {CUDNN_TYPE_NUMERICAL_NOTE, kMany}},
        {CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, {CUDNN_TYPE_BEHAVIOR_NOTE, kMany}},
        {CUDNN_ATTR_ENGINE_DEVICEPROP, {descriptor}}}},
      {CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
       {{CUDNN_ATTR_ENGINECFG_ENGINE, {descriptor}},
        {CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, {descriptor, kMany}},
        {CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE, {i64}}}},
      {CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR,
       {{CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, {descriptor}},
        {CUDNN_ATTR_ENGINEHEUR_MODE, {CUDNN_TYPE_HEUR_MODE}},
        {CUDNN_ATTR_ENGINEHEUR_RESULTS, {descriptor, kMany}},
        {CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, {descriptor}}}},
      {CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR,
       {{kPlanHandle, {CUDNN_TYPE_HANDLE}},
        {CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, {descriptor}},
        {CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, {i64}},
        {CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, {CUDNN_TYPE_CHAR, 1 << 20}},
        {CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, {descriptor}}}},
      {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR,
       {{CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, {i64, kMany}},
        {CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, {CUDNN_TYPE_VOID_PTR, kMany}},
        {CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {CUDNN_TYPE_VOID_PTR}}}},
      {CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR,
       {{CUDNN_ATTR_DEVICEPROP_DEVICE_ID, {CUDNN_TYPE_INT32}},
        {CUDNN_ATTR_DEVICEPROP_HANDLE, {CUDNN_TYPE_HANDLE}},
        {CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, {CUDNN_TYPE_CHAR, 1 << 20}}}},
  };
  return table;
}

const Field& field(const Descriptor& d, int name) {
  const Fields& fields = schema().at(d.type);
  const auto found = fields.find(name);
  if (found == fields.end()) badParameter("attribute " + std::to_string(name) + " is none of this descriptor");
  return found->second;
}

/** Scalars of a convolution may be given as double. */
bool typeFits(const Field& f, cudnnBackendAttributeType_t type) {
  return f.type == type || (f.type == CUDNN_TYPE_FLOAT && type == CUDNN_TYPE_DOUBLE);
}

template <class T>
void give(const std::vector<T>& values, int64_t requested, int64_t* count, void* elements) {
  const auto n = static_cast<int64_t>(values.size());
  if (count) *count = elements ? std::min(n, requested) : n;
  if (elements) std::memcpy(elements, values.data(), static_cast<size_t>(std::min(n, requested)) * sizeof(T));
}

/** Copies descriptors into handles that the caller made before. */
void giveDescriptors(const std::vector<DescriptorPtr>& values, int64_t requested, int64_t* count, void* elements) {
  const auto n = static_cast<int64_t>(values.size());
  if (count) *count = elements ? std::min(n, requested) : n;
  if (!elements) return;
  auto* handles = static_cast<cudnnBackendDescriptor_t*>(elements);
  for (int64_t i = 0; i < std::min(n, requested); ++i) {
    auto* handle = static_cast<Handle*>(handles[i]);
    if (!handle || handle->descriptor->type != values[static_cast<size_t>(i)]->type) {
      badParameter("expected descriptors of the right type, made before");
    }
    handle->descriptor = values[static_cast<size_t>(i)];
  }
}

}  // namespace

bool knownType(cudnnBackendDescriptorType_t type) { return schema().contains(type); }

size_t bytesOf(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_CHAR:
    case CUDNN_TYPE_BOOLEAN:
      return 1;
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR:
      return 8;
    default:
      return 4;
  }
}

void setAttribute(Descriptor& d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
                  const void* elements) {
  if (d.finalized) badParameter("the descriptor is finalized");
  const Field& f = field(d, name);
  if (!typeFits(f, type)) fail(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, "wrong attribute type");
  if (!elements) badParameter("null elements");
  if (count < 1 || count > f.most) badParameter("element count " + std::to_string(count));
  Attribute attribute{type, count, {}, {}};
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    const auto* handles = static_cast<const cudnnBackendDescriptor_t*>(elements);
    for (int64_t i = 0; i < count; ++i) {
      const auto* handle = static_cast<const Handle*>(handles[i]);
      if (!handle) fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "null descriptor");
      attribute.descriptors.push_back(handle->descriptor);
    }
  } else if (f.type == CUDNN_TYPE_FLOAT && type == CUDNN_TYPE_DOUBLE) {
    const auto value = static_cast<float>(*static_cast<const double*>(elements));
    attribute.type = CUDNN_TYPE_FLOAT;
    attribute.bytes.assign(reinterpret_cast<const char*>(&value), reinterpret_cast<const char*>(&value) + sizeof value);
  } else {
    const auto* first = static_cast<const char*>(elements);
    attribute.bytes.assign(first, first + static_cast<size_t>(count) * bytesOf(type));
  }
  d.attributes[name] = std::move(attribute);
}

void getAttribute(const Descriptor& d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                  int64_t requested, int64_t* count, void* elements) {
  if (!d.finalized) fail(CUDNN_STATUS_NOT_INITIALIZED, "the descriptor is not finalized");
  const Field& f = field(d, name);
  if (!typeFits(f, type)) fail(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, "wrong attribute type");
  if (requested < 0) badParameter("negative element count");
  switch (static_cast<int>(name)) {
    case CUDNN_ATTR_ENGINEHEUR_RESULTS:
      return giveDescriptors(d.configs, requested, count, elements);
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
      return give(d.notes, requested, count, elements);
    case CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE:
      return give(d.needsRuntime ? std::vector<cudnnBackendBehaviorNote_t>{CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}
                                 : std::vector<cudnnBackendBehaviorNote_t>{},
                  requested, count, elements);
    case CUDNN_ATTR_ENGINE_GLOBAL_INDEX:
      return give(std::vector<int64_t>{d.engine}, requested, count, elements);
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
    case CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE:
      return give(std::vector<int64_t>{d.workspace}, requested, count, elements);
    case CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION:
    case CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION:
      return give(std::vector<char>(d.json.c_str(), d.json.c_str() + d.json.size() + 1), requested, count, elements);
    default:
      break;
  }
  const Attribute& a = d.need(name);
  if (!a.descriptors.empty()) return giveDescriptors(a.descriptors, requested, count, elements);
  if (count) *count = elements ? std::min(a.count, requested) : a.count;
  if (elements) {
    std::memcpy(elements, a.bytes.data(), static_cast<size_t>(std::min(a.count, requested)) * bytesOf(a.type));
  }
}

}  // namespace fovea::emulator
