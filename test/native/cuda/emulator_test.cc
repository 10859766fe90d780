#include <cublasLt.h>
#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "native/cuda/graph_descriptors.h"
#include "native/testing.h"

/**
 * @file
 * The emulator against formulas, and against numbers that a real RTX 3060 with cuDNN 9 printed (the golden files of
 * pantheongpu/pantheonsim, nvidia/tests/conformance/golden). Linked to whatever libraries come first on
 * LD_LIBRARY_PATH; on a card the same program checks the real ones.
 */
namespace fovea::test {
namespace {

using namespace graph;  // NOLINT

void cuda(cudaError_t error, const std::source_location& where = std::source_location::current()) {
  check(error == cudaSuccess, cudaGetErrorString(error), where);
}

/** Floats on the device. */
class Array {
 public:
  explicit Array(const std::vector<float>& values) : size_(values.size()) {
    cuda(cudaMalloc(&data_, size_ * sizeof(float)));
    cuda(cudaMemcpy(data_, values.data(), size_ * sizeof(float), cudaMemcpyHostToDevice));
  }
  explicit Array(size_t size) : Array(std::vector<float>(size, NAN)) {}
  ~Array() { cudaFree(data_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  float* data() const { return static_cast<float*>(data_); }
  std::vector<float> read() const {
    std::vector<float> values(size_);
    cuda(cudaMemcpy(values.data(), data_, size_ * sizeof(float), cudaMemcpyDeviceToHost));
    return values;
  }

 private:
  void* data_ = nullptr;
  size_t size_;
};

/** The inputs of the printed numbers, in float as there: s·sin(0.7j+0.3) + 0.1(j % 5) − 0.2 with j = i+q. */
std::vector<float> series(size_t n, float s, int q) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i) {
    const int j = static_cast<int>(i) + q;
    values[i] = s * std::sin(0.7F * static_cast<float>(j) + 0.3F) + 0.1F * static_cast<float>(j % 5) - 0.2F;
  }
  return values;
}

/** Σ|v| and Σv² to the 7 digits that were printed, the last give or take one. */
void checkSums(const std::vector<float>& values, double absolute, double squares) {
  double a = 0, s = 0;
  for (float v : values) {
    a += std::fabs(v);
    s += static_cast<double>(v) * v;
  }
  const auto close = [](double x, double y) {
    return std::fabs(x - y) <= 1.1e-6 * std::pow(10, std::floor(std::log10(y)));
  };
  check(close(a, absolute) && close(s, squares), "sums " + std::to_string(a) + " and " + std::to_string(s));
}

/** Runs the first plan without tensor cores. */
void runGraph(Descriptor operation, const std::vector<int64_t>& uids, const std::vector<void*>& pointers) {
  check(cudnnBackendFinalize(operation) == CUDNN_STATUS_SUCCESS);
  Descriptor whole = make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  cudnnHandle_t handle = nullptr;
  check(cudnnCreate(&handle) == CUDNN_STATUS_SUCCESS);
  const auto setHandle = [&](Descriptor d, int name) {
    cudnnBackendSetAttribute(d, static_cast<cudnnBackendAttributeName_t>(name), CUDNN_TYPE_HANDLE, 1, &handle);
  };
  setHandle(whole, 800);  // CUDNN_ATTR_OPERATIONGRAPH_HANDLE, a deprecated name
  child(whole, CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
  check(cudnnBackendFinalize(whole) == CUDNN_STATUS_SUCCESS);
  Descriptor heuristics = make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  child(heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, whole);
  set<cudnnBackendHeurMode_t>(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, {CUDNN_HEUR_MODE_FALLBACK});
  check(cudnnBackendFinalize(heuristics) == CUDNN_STATUS_SUCCESS);
  int64_t n = 0;
  cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &n, nullptr);
  std::vector<Descriptor> configs(static_cast<size_t>(n));
  for (Descriptor& c : configs) c = make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, n, &n,
                           configs.data());
  for (Descriptor config : configs) {
    Descriptor plan = make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    setHandle(plan, 400);  // CUDNN_ATTR_EXECUTION_PLAN_HANDLE
    child(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
    if (cudnnBackendFinalize(plan) != CUDNN_STATUS_SUCCESS) continue;
    int64_t bytes = 0, one = 0;
    cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &one, &bytes);
    const Array workspace(static_cast<size_t>(bytes) / sizeof(float) + 1);
    Descriptor pack = make(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, uids);
    set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pointers);
    set<void*>(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, {workspace.data()});
    check(cudnnBackendFinalize(pack) == CUDNN_STATUS_SUCCESS);
    check(cudnnBackendExecute(handle, plan, pack) == CUDNN_STATUS_SUCCESS);
    cuda(cudaDeviceSynchronize());
    cudnnDestroy(handle);
    return;
  }
  check(false, "no plan");
}

void printedConvolution() {
  const Array x(series(2 * 5 * 6 * 3, 1, 0)), w(series(4 * 3 * 3 * 3, 0.5F, 3)), dy(series(2 * 5 * 6 * 4, 0.8F, 7)),
      y(size_t{2} * 5 * 6 * 4), dw(size_t{4} * 3 * 3 * 3);
  const Descriptor tx = tensor({1, CUDNN_DATA_FLOAT, {2, 3, 5, 6}}), tw = tensor({2, CUDNN_DATA_FLOAT, {4, 3, 3, 3}}),
                   ty = tensor({3, CUDNN_DATA_FLOAT, {2, 4, 5, 6}});
  runGraph(unfinished(kForward, convolution(), tx, tw, ty), {1, 2, 3}, {x.data(), w.data(), y.data()});
  checkSums(y.read(), 8.141987e2, 3.265672e3);
  runGraph(unfinished(kFilter, convolution(), tx, tw, ty), {1, 2, 3}, {x.data(), dw.data(), dy.data()});
  checkSums(dw.read(), 8.881040e1, 1.030274e2);
}

/** Y = X·W of row-major matrices, as the notes on cuBLAS have it: the library sees the transposes. */
void denseForward() {
  const int m = 3, k = 4, n = 5;
  const std::vector<float> xs = series(12, 1, 0), ws = series(20, 1, 3);
  const Array x(xs), w(ws), y(15);
  cublasHandle_t handle = nullptr;
  check(cublasCreate(&handle) == CUBLAS_STATUS_SUCCESS);
  const float one = 1, zero = 0;
  check(cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, n, m, k, &one, w.data(), CUDA_R_32F, n, x.data(), CUDA_R_32F, k,
                     &zero, y.data(), CUDA_R_32F, n, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT) == CUBLAS_STATUS_SUCCESS);
  check(cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, n, m, k, &one, w.data(), CUDA_R_32F, n - 1, x.data(), CUDA_R_32F,
                     k, &zero, y.data(), CUDA_R_32F, n, CUBLAS_COMPUTE_32F,
                     CUBLAS_GEMM_DEFAULT) == CUBLAS_STATUS_INVALID_VALUE);
  cuda(cudaDeviceSynchronize());
  const std::vector<float> ys = y.read();
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      double sum = 0;
      for (int p = 0; p < k; ++p) sum += static_cast<double>(xs[i * k + p]) * ws[p * n + j];
      check(std::fabs(ys[i * n + j] - sum) < 1e-5);
    }
  }
  cublasDestroy(handle);
}

/** relu(X·W + b) and, from dY, dW and db in one call: bias and its gradient belong to the rows of a column-major D. */
void denseEpilogues() {
  const int m = 6, k = 4, n = 5;
  const std::vector<float> xs = series(24, 1, 0), ws = series(20, 1, 3), bs = series(5, 1, 1), ds = series(30, 1, 2);
  const Array x(xs), w(ws), b(bs), dy(ds), y(30), dw(20), db(5);
  cublasLtHandle_t handle = nullptr;
  check(cublasLtCreate(&handle) == CUBLAS_STATUS_SUCCESS);
  const float one = 1, zero = 0;
  const auto layout = [](int rows, int columns) {
    cublasLtMatrixLayout_t l = nullptr;
    cublasLtMatrixLayoutCreate(&l, CUDA_R_32F, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), rows);
    return l;
  };
  const auto desc = [&](cublasOperation_t ta, cublasOperation_t tb, cublasLtEpilogue_t epilogue, const void* bias) {
    cublasLtMatmulDesc_t d = nullptr;
    cublasLtMatmulDescCreate(&d, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    const int32_t a = ta, t = tb;
    const uint32_t e = epilogue;
    const uint64_t wide = epilogue;
    check(cublasLtMatmulDescSetAttribute(d, CUBLASLT_MATMUL_DESC_EPILOGUE, &wide, sizeof wide) ==
          CUBLAS_STATUS_INVALID_VALUE);
    cublasLtMatmulDescSetAttribute(d, CUBLASLT_MATMUL_DESC_TRANSA, &a, sizeof a);
    cublasLtMatmulDescSetAttribute(d, CUBLASLT_MATMUL_DESC_TRANSB, &t, sizeof t);
    check(cublasLtMatmulDescSetAttribute(d, CUBLASLT_MATMUL_DESC_EPILOGUE, &e, sizeof e) == CUBLAS_STATUS_SUCCESS);
    cublasLtMatmulDescSetAttribute(d, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
    return d;
  };
  check(cublasLtMatmul(handle, desc(CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_RELU_BIAS, b.data()), &one, w.data(),
                       layout(n, k), x.data(), layout(k, m), &zero, y.data(), layout(n, m), y.data(), layout(n, m),
                       nullptr, nullptr, 0, nullptr) == CUBLAS_STATUS_SUCCESS);
  check(cublasLtMatmul(handle, desc(CUBLAS_OP_N, CUBLAS_OP_T, CUBLASLT_EPILOGUE_BGRADA, db.data()), &one, dy.data(),
                       layout(n, m), x.data(), layout(k, m), &zero, dw.data(), layout(n, k), dw.data(), layout(n, k),
                       nullptr, nullptr, 0, nullptr) == CUBLAS_STATUS_SUCCESS);
  cuda(cudaDeviceSynchronize());
  const std::vector<float> ys = y.read(), dws = dw.read(), dbs = db.read();
  for (int j = 0; j < n; ++j) {
    double bias = 0;
    for (int i = 0; i < m; ++i) {
      double sum = bs[j];
      for (int p = 0; p < k; ++p) sum += static_cast<double>(xs[i * k + p]) * ws[p * n + j];
      check(std::fabs(ys[i * n + j] - std::fmax(sum, 0)) < 1e-5);
      bias += ds[i * n + j];
    }
    check(std::fabs(dbs[j] - bias) < 1e-5);
    for (int p = 0; p < k; ++p) {
      double sum = 0;
      for (int i = 0; i < m; ++i) sum += static_cast<double>(xs[i * k + p]) * ds[i * n + j];
      check(std::fabs(dws[p * n + j] - sum) < 1e-5);
    }
  }
  cublasLtDestroy(handle);
}

cudaStream_t stream() {
  cudaStream_t s = nullptr;
  cuda(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking));
  return s;
}

void eventsOrderStreams() {
  const Array a(std::vector<float>{1, 2, 3}), b(3);
  float* pinned = nullptr;
  cuda(cudaMallocHost(reinterpret_cast<void**>(&pinned), 12));
  cudaStream_t first = stream(), second = stream();
  cudaEvent_t event = nullptr;
  cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  cuda(cudaMemcpyAsync(b.data(), a.data(), 12, cudaMemcpyDeviceToDevice, first));
  cuda(cudaEventRecord(event, first));
  cuda(cudaStreamWaitEvent(second, event, 0));
  cuda(cudaMemcpyAsync(pinned, b.data(), 12, cudaMemcpyDeviceToHost, second));
  cuda(cudaStreamSynchronize(second));
  check(pinned[0] == 1 && pinned[2] == 3);
  cuda(cudaEventDestroy(event));
  cuda(cudaStreamDestroy(first));
  cuda(cudaStreamDestroy(second));
  cuda(cudaFreeHost(pinned));
}

void captureRecordsInsteadOfRunning() {
  const Array a(std::vector<float>{1, 2, 3}), b(std::vector<float>{0, 0, 0});
  cudaStream_t s = stream();
  cudaGraph_t recorded = nullptr;
  cuda(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal));
  cuda(cudaMemcpyAsync(b.data(), a.data(), 12, cudaMemcpyDeviceToDevice, s));
  cuda(cudaStreamEndCapture(s, &recorded));
  check(b.read()[0] == 0, "capturing ran the copy");
  cudaGraphExec_t executable = nullptr;
  cuda(cudaGraphInstantiate(&executable, recorded, 0));
  cuda(cudaGraphLaunch(executable, s));
  cuda(cudaStreamSynchronize(s));
  check(b.read()[2] == 3);
  cuda(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal));
  void* p = nullptr;
  check(cudaMalloc(&p, 16) == cudaErrorStreamCaptureUnsupported);
  check(cudaStreamEndCapture(s, &recorded) == cudaErrorStreamCaptureInvalidated);
  cudaGetLastError();
  cuda(cudaGraphExecDestroy(executable));
  cuda(cudaStreamDestroy(s));
}

void copiesAreChecked() {
  const Array a(3);
  std::vector<float> host(16);
  check(cudaMemcpy(a.data(), host.data(), 64, cudaMemcpyHostToDevice) == cudaErrorInvalidValue, "past the end");
  check(cudaMemcpy(host.data(), a.data(), 12, cudaMemcpyHostToDevice) == cudaErrorInvalidValue, "the wrong way");
  check(cudaGetLastError() == cudaErrorInvalidValue);
  check(cudaGetLastError() == cudaSuccess);
  check(cudaFree(host.data()) == cudaErrorInvalidValue);
  cudaGetLastError();
}

}  // namespace

static std::vector<Test> emulatorTests() {
  return {
      {"emulator: convolution and its kernel gradient give the numbers that an RTX 3060 printed", printedConvolution},
      {"emulator: a row-major dense layer on column-major cuBLAS", denseForward},
      {"emulator: cublasLt's bias, ReLU and bias gradient", denseEpilogues},
      {"emulator: an event orders two streams", eventsOrderStreams},
      {"emulator: a capture records instead of running, and forbids allocation", captureRecordsInsteadOfRunning},
      {"emulator: copies know their direction and their end", copiesAreChecked},
  };
}

}  // namespace fovea::test

int main(int argc, char** argv) { return fovea::test::runTests({fovea::test::emulatorTests()}, argc, argv); }
