#include <cudnn.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "native/cuda/graph_descriptors.h"

/**
 * @file
 * Gives good and bad descriptors to whatever libcudnn.so.9 is loaded, and prints a status for each: run once on the
 * real library and once on the double, the lines have to be the same. Needs no device: plans are made from device
 * properties.
 */
namespace {

using namespace fovea::test::graph;  // NOLINT

void report(const std::string& name, int status) { std::printf("%s: %d\n", name.c_str(), status); }

const char* kH100 =
    R"({"maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],"regsPerBlock":65536,)"
    R"("multiProcessorCount":132,"smCountOrigin":0,"warpSize":32,"maxSharedMemoryPerBlock":49152,)"
    R"("maxSharedMemoryPerBlockOptin":232448,"reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536,)"
    R"("maxCtasPerSM":32,"maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,"pciDeviceId":0,"isTccDriver":0,)"
    R"("supportCoopLaunch":1,"totalGlobalMem":85017493504,"smClockRateKHz":1980000,"memClockRateKHz":2619000,)"
    R"("l2CacheSize":52428800,"cudaDeviceId":0,"deviceVer":900,"driverVer":13000,"deviceName":"NVIDIA H100 80GB HBM3"})";

Descriptor device() {
  Descriptor d = make(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  cudnnBackendSetAttribute(d, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                           static_cast<int64_t>(std::strlen(kH100)) + 1, kH100);
  cudnnBackendFinalize(d);
  return d;
}

/** Whether some precompiled engine of a mode finalizes a plan: 1 or 0; -1 when the graph itself is refused. */
int plans(const std::vector<Descriptor>& operations, cudnnBackendHeurMode_t mode) {
  for (Descriptor op : operations) {
    if (cudnnBackendFinalize(op)) return -1;
  }
  Descriptor graph = make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  set(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operations);
  if (cudnnBackendFinalize(graph)) return -1;
  Descriptor heuristics = make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  child(heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  set<cudnnBackendHeurMode_t>(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, {mode});
  child(heuristics, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, device());
  if (cudnnBackendFinalize(heuristics)) return 0;
  int64_t n = 0;
  cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &n, nullptr);
  std::vector<Descriptor> configs(static_cast<size_t>(n));
  for (Descriptor& c : configs) c = make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, n, &n,
                           configs.data());
  for (int64_t i = 0; i < n; ++i) {
    Descriptor plan = make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    child(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configs[static_cast<size_t>(i)]);
    child(plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device());
    if (cudnnBackendFinalize(plan) == CUDNN_STATUS_SUCCESS) return 1;
  }
  return 0;
}

void reportPlans(const std::string& name, const std::function<std::vector<Descriptor>()>& operations) {
  report(name + " (A or fallback)",
         std::max(plans(operations(), CUDNN_HEUR_MODE_A), plans(operations(), CUDNN_HEUR_MODE_FALLBACK)));
}

// Left out, because the real library (9.24) crashes on them: create into null, finalize of an empty plan.
void descriptors() {
  report("create: unknown type", [] {
    Descriptor d = nullptr;
    return cudnnBackendCreateDescriptor(static_cast<cudnnBackendDescriptorType_t>(999), &d);
  }());
  report("destroy: null", cudnnBackendDestroyDescriptor(nullptr));
  report("finalize: null", cudnnBackendFinalize(nullptr));
  report("execute: null", cudnnBackendExecute(nullptr, nullptr, nullptr));
  Descriptor d = make(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const int32_t narrow = 1;
  const int64_t one = 1;
  report("set: wrong type", cudnnBackendSetAttribute(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT32, 1, &narrow));
  report("set: null elements", cudnnBackendSetAttribute(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, nullptr));
  report("set: no elements", cudnnBackendSetAttribute(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 0, &one));
  report("set: two unique ids", [&] {
    const int64_t two[2] = {1, 2};
    return cudnnBackendSetAttribute(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 2, two);
  }());
  report("set: attribute of another descriptor",
         cudnnBackendSetAttribute(d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &one));
  report("set: null descriptor",
         cudnnBackendSetAttribute(nullptr, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &one));
  report("get: before finalize", [&] {
    int64_t n = 0, value = 0;
    return cudnnBackendGetAttribute(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &n, &value);
  }());
  report("tensor: empty", cudnnBackendFinalize(make(CUDNN_BACKEND_TENSOR_DESCRIPTOR)));
  Tensor t;
  report("tensor: good", cudnnBackendFinalize(unfinished(t)));
  t.alignment = 2;
  report("tensor: alignment below the element", cudnnBackendFinalize(unfinished(t)));
  t.alignment = 12;
  report("tensor: alignment no power of two", cudnnBackendFinalize(unfinished(t)));
  t.alignment = 16;
  t.dims = {2, 0, 9, 9};
  report("tensor: empty dimension", cudnnBackendFinalize(unfinished(t)));
  t.dims = {2, 8, 9, 9};
  t.strides = {8, 1, 1};
  report("tensor: fewer strides than dimensions", cudnnBackendFinalize(unfinished(t)));
  Descriptor good = tensor({});
  report("set: after finalize", cudnnBackendSetAttribute(good, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &one));
  report("finalize: twice", cudnnBackendFinalize(good));
  report("get: wrong type", [&] {
    int64_t n = 0;
    int32_t value = 0;
    return cudnnBackendGetAttribute(good, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT32, 1, &n, &value);
  }());
}

void convolutions() {
  Convolution c;
  report("convolution: empty", cudnnBackendFinalize(make(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR)));
  report("convolution: good", cudnnBackendFinalize(unfinished(c)));
  c.strides = {0, 1};
  report("convolution: stride 0", cudnnBackendFinalize(unfinished(c)));
  c = {};
  c.dilations = {0, 1};
  report("convolution: dilation 0", cudnnBackendFinalize(unfinished(c)));
  c = {};
  c.rank = 3;
  report("convolution: rank 3 with two paddings", cudnnBackendFinalize(unfinished(c)));
  const Descriptor x = tensor({}), w = tensor({2, CUDNN_DATA_FLOAT, {4, 8, 3, 3}}),
                   y = tensor({3, CUDNN_DATA_FLOAT, {2, 4, 9, 9}});
  for (const Direction& way : {kForward, kData, kFilter}) {
    const std::string name = way.name;
    const auto finalize = [&](Descriptor a, Descriptor b, Descriptor out) {
      return cudnnBackendFinalize(unfinished(way, convolution(), a, b, out));
    };
    report(name + ": good", finalize(x, w, y));
    report(name + ": height of y", finalize(x, w, tensor({3, CUDNN_DATA_FLOAT, {2, 4, 8, 9}})));
    report(name + ": channels of y", finalize(x, w, tensor({3, CUDNN_DATA_FLOAT, {2, 5, 9, 9}})));
    report(name + ": batch of y", finalize(x, w, tensor({3, CUDNN_DATA_FLOAT, {3, 4, 9, 9}})));
    report(name + ": filter channels that do not divide", finalize(x, tensor({2, CUDNN_DATA_FLOAT, {4, 3, 3, 3}}), y));
    report(name + ": two groups", finalize(x, tensor({2, CUDNN_DATA_FLOAT, {4, 4, 3, 3}}), y));
    report(name + ": eight groups of four filters", finalize(x, tensor({2, CUDNN_DATA_FLOAT, {4, 1, 3, 3}}), y));
    report(name + ": y channels first", finalize(x, w, tensor({3, CUDNN_DATA_FLOAT, {2, 4, 9, 9}, {324, 81, 9, 1}})));
    Descriptor incomplete = make(way.type);
    child(incomplete, way.x, x);
    report(name + ": operands missing", cudnnBackendFinalize(incomplete));
    Descriptor raw = unfinished(Tensor{});
    Descriptor op = make(way.type);
    report(name + ": operand not finalized",
           cudnnBackendSetAttribute(op, way.x, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw));
    report(name + ": finalized with it", cudnnBackendFinalize(unfinished(way, convolution(), raw, w, y)));
    report(name + ": convolution not finalized",
           cudnnBackendFinalize(unfinished(way, unfinished(Convolution{}), x, w, y)));
  }
  report("graph: empty", cudnnBackendFinalize(make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR)));
  report("heuristics: empty", cudnnBackendFinalize(make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR)));
  report("variant pack: empty", cudnnBackendFinalize(make(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)));
  report("device properties: empty", cudnnBackendFinalize(make(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR)));
}

void graphs() {
  for (const cudnnDataType_t type : {CUDNN_DATA_FLOAT, CUDNN_DATA_HALF, CUDNN_DATA_BFLOAT16}) {
    const std::string of = type == CUDNN_DATA_FLOAT ? " f32" : type == CUDNN_DATA_HALF ? " f16" : " bf16";
    const Dims in{2, 64, 16, 16}, out{2, 32, 8, 8};
    Convolution same;  // 'same' of Keras, stride 2: nothing before, one after
    same.pre = {0, 0};
    same.strides = {2, 2};
    const Descriptor x = tensor({1, type, in}), w = tensor({2, type, {32, 64, 3, 3}}), y = tensor({3, type, out}),
                     b = tensor({4, type, {1, 32, 1, 1}}), z = tensor({5, type, out}),
                     t1 = tensor({101, CUDNN_DATA_FLOAT, out, {}, true}),
                     t2 = tensor({102, CUDNN_DATA_FLOAT, out, {}, true}),
                     t3 = tensor({103, CUDNN_DATA_FLOAT, out, {}, true});
    for (const Direction& way : {kForward, kData, kFilter}) {
      reportPlans(way.name + of, [&] { return std::vector{unfinished(way, convolution(same), x, w, y)}; });
    }
    const auto conv = [&] { return unfinished(kForward, convolution(same), x, w, t1); };
    using Ops = std::vector<Descriptor>;
    reportPlans("conv bias" + of, [&] { return Ops{conv(), pointwise(CUDNN_POINTWISE_ADD, t1, b, y)}; });
    reportPlans("conv bias relu" + of, [&] {
      return Ops{conv(), pointwise(CUDNN_POINTWISE_ADD, t1, b, t2),
                 pointwise(CUDNN_POINTWISE_RELU_FWD, t2, nullptr, y)};
    });
    reportPlans("conv z bias relu" + of, [&] {
      return Ops{conv(), pointwise(CUDNN_POINTWISE_ADD, t1, z, t2), pointwise(CUDNN_POINTWISE_ADD, t2, b, t3),
                 pointwise(CUDNN_POINTWISE_RELU_FWD, t3, nullptr, y)};
    });
    reportPlans("conv bias z relu" + of, [&] {
      return Ops{conv(), pointwise(CUDNN_POINTWISE_ADD, t1, b, t2), pointwise(CUDNN_POINTWISE_ADD, t2, z, t3),
                 pointwise(CUDNN_POINTWISE_RELU_FWD, t3, nullptr, y)};
    });
    reportPlans("conv relu" + of, [&] { return Ops{conv(), pointwise(CUDNN_POINTWISE_RELU_FWD, t1, nullptr, y)}; });
    const Descriptor wide = tensor({4, CUDNN_DATA_FLOAT, {1, 32, 1, 1}});
    reportPlans("conv bias(f32) relu" + of, [&] {
      return Ops{conv(), pointwise(CUDNN_POINTWISE_ADD, t1, wide, t2),
                 pointwise(CUDNN_POINTWISE_RELU_FWD, t2, nullptr, y)};
    });
    const Descriptor dw = tensor({2, CUDNN_DATA_FLOAT, {32, 64, 3, 3}});
    reportPlans("backward filter with f32 result" + of,
                [&] { return Ops{unfinished(kFilter, convolution(same), x, dw, y)}; });
    const Descriptor one = tensor({2, type, {64, 1, 3, 3}}), each = tensor({3, type, {2, 64, 8, 8}});
    for (const Direction& way : {kForward, kData, kFilter}) {
      reportPlans("depthwise " + std::string(way.name) + of,
                  [&] { return Ops{unfinished(way, convolution(same), x, one, each)}; });
    }
    Convolution dilated;
    dilated.pre = dilated.post = {2, 2};
    dilated.dilations = {2, 2};
    const Descriptor large = tensor({3, type, {2, 32, 16, 16}});
    for (const Direction& way : {kForward, kData, kFilter}) {
      reportPlans("dilated " + std::string(way.name) + of,
                  [&] { return Ops{unfinished(way, convolution(dilated), x, w, large)}; });
    }
    reportPlans("pointwise alone" + of, [&] { return Ops{pointwise(CUDNN_POINTWISE_ADD, z, b, y)}; });
  }
}

}  // namespace

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // what was asked before a crash
  descriptors();
  convolutions();
  graphs();
  return 0;
}
