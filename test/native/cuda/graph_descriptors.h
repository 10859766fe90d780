#pragma once

#include <cudnn.h>

#include <cstdint>
#include <vector>

/** @file Short names for cuDNN's descriptors, for tests that call the library directly. Nothing is destroyed. */
namespace fovea::test::graph {

using Descriptor = cudnnBackendDescriptor_t;

inline Descriptor make(cudnnBackendDescriptorType_t type) {
  Descriptor d = nullptr;
  cudnnBackendCreateDescriptor(type, &d);
  return d;
}

template <class T>
cudnnStatus_t set(Descriptor d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                  const std::vector<T>& values) {
  return cudnnBackendSetAttribute(d, name, type, static_cast<int64_t>(values.size()), values.data());
}

using Dims = std::vector<int64_t>;

inline Dims nhwc(const Dims& d) { return {d[1] * d[2] * d[3], 1, d[1] * d[3], d[1]}; }

struct Tensor {
  int64_t uid = 1;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  Dims dims{2, 8, 9, 9};
  Dims strides = {};
  bool isVirtual = false;
  int64_t alignment = 16;
};

inline Descriptor unfinished(const Tensor& t) {
  Descriptor d = make(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  set<int64_t>(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, {t.uid});
  set<cudnnDataType_t>(d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, {t.type});
  set(d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, t.dims);
  set(d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, t.strides.empty() ? nhwc(t.dims) : t.strides);
  set<int64_t>(d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, {t.alignment});
  if (t.isVirtual) {
    const bool yes = true;
    cudnnBackendSetAttribute(d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &yes);
  }
  return d;
}

inline Descriptor tensor(const Tensor& t) {
  Descriptor d = unfinished(t);
  cudnnBackendFinalize(d);
  return d;
}

struct Convolution {
  Dims pre{1, 1}, post{1, 1}, strides{1, 1}, dilations{1, 1};
  int64_t rank = 2;
};

inline Descriptor unfinished(const Convolution& c) {
  Descriptor d = make(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  set<cudnnDataType_t>(d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT});
  set<cudnnConvolutionMode_t>(d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE,
                              {CUDNN_CROSS_CORRELATION});
  set<int64_t>(d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, {c.rank});
  set(d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, c.pre);
  set(d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, c.post);
  set(d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, c.strides);
  set(d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, c.dilations);
  return d;
}

inline Descriptor convolution(const Convolution& c = {}) {
  Descriptor d = unfinished(c);
  cudnnBackendFinalize(d);
  return d;
}

/** The three directions, by the attributes of their operands. */
struct Direction {
  const char* name;
  cudnnBackendDescriptorType_t type;
  cudnnBackendAttributeName_t conv, x, w, y;
};
inline const Direction kForward{"forward",
                                CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y};
inline const Direction kData{"backward data",
                             CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY};
inline const Direction kFilter{"backward filter",
                               CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY};

inline void child(Descriptor d, cudnnBackendAttributeName_t name, Descriptor value) {
  cudnnBackendSetAttribute(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

inline Descriptor unfinished(const Direction& way, Descriptor conv, Descriptor x, Descriptor w, Descriptor y) {
  Descriptor d = make(way.type);
  child(d, way.conv, conv);
  child(d, way.x, x);
  child(d, way.w, w);
  child(d, way.y, y);
  return d;
}

inline Descriptor pointwise(cudnnPointwiseMode_t mode, Descriptor x, Descriptor b, Descriptor y) {
  Descriptor pw = make(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  set<cudnnPointwiseMode_t>(pw, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, {mode});
  set<cudnnDataType_t>(pw, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT});
  cudnnBackendFinalize(pw);
  Descriptor d = make(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  child(d, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, pw);
  child(d, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
  if (b) child(d, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
  child(d, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  return d;
}

}  // namespace fovea::test::graph
