#include <cublas_v2.h>

#include <algorithm>

#include "emulator/bridge.h"
#include "emulator/faults.h"
#include "emulator/gemm.h"

/** @file The double of libcublas: handles and GEMMs on host memory, with the argument checks of the real one. */

using namespace fovea::emulator;  // NOLINT: this file defines the C functions of another library

struct cublasContext {
  cudaStream_t stream = nullptr;
  unsigned mathMode = CUBLAS_DEFAULT_MATH;
  cublasPointerMode_t pointerMode = CUBLAS_POINTER_MODE_HOST;
};

namespace {

/** A fault of the call, or what a broken device does to every call. */
cublasStatus_t refused(const char* name) {
  if (const int code = countCall(name).code) return static_cast<cublasStatus_t>(code);
  if (const cudaError_t state = __cudaEmuState()) {
    return state == cudaErrorInsufficientDriver || state == cudaErrorNoDevice ? CUBLAS_STATUS_NOT_INITIALIZED
                                                                              : CUBLAS_STATUS_EXECUTION_FAILED;
  }
  return CUBLAS_STATUS_SUCCESS;
}

struct Operand {
  const void* data;
  cudaDataType type;
  int64_t ld, stride;

  const char* at(int64_t i) const { return static_cast<const char*>(data) + bytes(i); }
  size_t bytes(int64_t i) const { return static_cast<size_t>(i * stride) * bytesOf(type); }
};

struct Gemm {
  cublasOperation_t transA, transB;
  int64_t m, n, k;
  Operand a, b, c;
  int64_t batch;
  float alpha, beta;
};

/** Inputs of one type; the output of that type or float32. */
bool supported(const Gemm& g) {
  return g.a.type == g.b.type && bytesOf(g.a.type) != 0 && (g.c.type == g.a.type || g.c.type == CUDA_R_32F);
}

cublasStatus_t run(cublasHandle_t handle, const Gemm& g, cublasComputeType_t compute) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (g.m < 0 || g.n < 0 || g.k < 0 || g.batch < 0) return CUBLAS_STATUS_INVALID_VALUE;
  const bool ta = g.transA != CUBLAS_OP_N, tb = g.transB != CUBLAS_OP_N;
  if (g.a.ld < std::max<int64_t>(1, ta ? g.k : g.m) || g.b.ld < std::max<int64_t>(1, tb ? g.n : g.k) ||
      g.c.ld < std::max<int64_t>(1, g.m)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (compute != CUBLAS_COMPUTE_32F && compute != CUBLAS_COMPUTE_32F_FAST_TF32 &&
      compute != CUBLAS_COMPUTE_32F_PEDANTIC) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  if (!supported(g)) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (g.m == 0 || g.n == 0 || g.batch == 0) return CUBLAS_STATUS_SUCCESS;
  const auto covers = [&](const Operand& o, int64_t rows, int64_t columns) {
    const size_t span = spanOf(rows, columns, o.ld, o.type);
    return span == 0 || __cudaEmuIsDevice(o.data, span + o.bytes(g.batch - 1));
  };
  // The real library would fault on these when it runs.
  if (!covers(g.a, ta ? g.k : g.m, ta ? g.m : g.k) || !covers(g.b, tb ? g.n : g.k, tb ? g.k : g.n) ||
      !covers(g.c, g.m, g.n)) {
    return enqueue(handle->stream, [] { return cudaErrorIllegalAddress; }) ? CUBLAS_STATUS_EXECUTION_FAILED
                                                                           : CUBLAS_STATUS_SUCCESS;
  }
  const cudaError_t error = enqueue(handle->stream, [=] {
    for (int64_t i = 0; i < g.batch; ++i) {
      const Matrix a{g.a.at(i), g.a.type, g.a.ld, ta}, b{g.b.at(i), g.b.type, g.b.ld, tb};
      auto* c = const_cast<char*>(g.c.at(i));
      const std::vector<float> out = product(g.m, g.n, g.k, g.alpha, a, b);
      for (int64_t column = 0; column < g.n; ++column) {
        for (int64_t row = 0; row < g.m; ++row) {
          const auto at = static_cast<size_t>(row + column * g.c.ld);
          const float old = g.beta == 0 ? 0 : g.beta * load(c, at, g.c.type);  // beta 0 does not read
          store(c, at, g.c.type, out[static_cast<size_t>(row + column * g.m)] + old);
        }
      }
    }
    return cudaSuccess;
  });
  return error ? CUBLAS_STATUS_EXECUTION_FAILED : CUBLAS_STATUS_SUCCESS;
}

}  // namespace

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  if (!handle) return CUBLAS_STATUS_INVALID_VALUE;
  if (const cublasStatus_t status = refused("cublasCreate")) return status;
  *handle = new cublasContext;
  __cudaEmuCount("cublas handles", 1);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  delete handle;
  __cudaEmuCount("cublas handles", -1);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int* version) {
  *version = CUBLAS_VERSION;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetProperty(libraryPropertyType type, int* value) {
  if (!value) return CUBLAS_STATUS_INVALID_VALUE;
  *value = type == MAJOR_VERSION ? CUBLAS_VER_MAJOR : type == MINOR_VERSION ? CUBLAS_VER_MINOR : CUBLAS_VER_PATCH;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (const cublasStatus_t status = refused("cublasSetStream")) return status;
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, cudaStream_t* stream) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  *stream = handle->stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t bytes) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (const cublasStatus_t status = refused("cublasSetWorkspace")) return status;
  if (workspace && (reinterpret_cast<uintptr_t>(workspace) % 256 != 0 || !__cudaEmuIsDevice(workspace, bytes))) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (const cublasStatus_t status = refused("cublasSetMathMode")) return status;
  handle->mathMode = mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (mode != CUBLAS_POINTER_MODE_HOST) return CUBLAS_STATUS_NOT_SUPPORTED;  // we pass scalars by host pointer
  return CUBLAS_STATUS_SUCCESS;
}

const char* cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "the library was not initialized";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "the resource allocation failed";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "an invalid value was used as an argument";
    case CUBLAS_STATUS_ARCH_MISMATCH:
      return "an absent device architectural feature is required";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "the function failed to launch on the GPU";
    case CUBLAS_STATUS_INTERNAL_ERROR:
      return "an internal operation failed";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "the functionality is not supported";
    default:
      return "unknown status";
  }
}

const char* cublasGetStatusName(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS ? "CUBLAS_STATUS_SUCCESS" : "CUBLAS_STATUS (see cublas_api.h)";
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transA, cublasOperation_t transB, int m, int n,
                            int k, const void* alpha, const void* a, cudaDataType typeA, int lda, const void* b,
                            cudaDataType typeB, int ldb, const void* beta, void* c, cudaDataType typeC, int ldc,
                            cublasComputeType_t compute, cublasGemmAlgo_t) {
  if (const cublasStatus_t status = refused("cublasGemmEx")) return status;
  if (!alpha || !beta) return CUBLAS_STATUS_INVALID_VALUE;
  const float factor = *static_cast<const float*>(alpha), kept = *static_cast<const float*>(beta);
  return run(handle,
             {transA, transB, m, n, k, {a, typeA, lda, 0}, {b, typeB, ldb, 0}, {c, typeC, ldc, 0}, 1, factor, kept},
             compute);
}

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t transA, cublasOperation_t transB,
                                          int m, int n, int k, const void* alpha, const void* a, cudaDataType typeA,
                                          int lda, long long strideA, const void* b, cudaDataType typeB, int ldb,
                                          long long strideB, const void* beta, void* c, cudaDataType typeC, int ldc,
                                          long long strideC, int batch, cublasComputeType_t compute, cublasGemmAlgo_t) {
  if (const cublasStatus_t status = refused("cublasGemmStridedBatchedEx")) return status;
  if (!alpha || !beta) return CUBLAS_STATUS_INVALID_VALUE;
  const float factor = *static_cast<const float*>(alpha), kept = *static_cast<const float*>(beta);
  return run(handle,
             {transA,
              transB,
              m,
              n,
              k,
              {a, typeA, lda, strideA},
              {b, typeB, ldb, strideB},
              {c, typeC, ldc, strideC},
              batch,
              factor,
              kept},
             compute);
}

}  // extern "C"
