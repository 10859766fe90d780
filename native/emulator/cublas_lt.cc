#include <cublasLt.h>

#include <algorithm>
#include <cstring>

#include "emulator/bridge.h"
#include "emulator/faults.h"
#include "emulator/gemm.h"

/** @file The double of libcublasLt: matmul with epilogues on host memory. */

using namespace fovea::emulator;  // NOLINT: this file defines the C functions of another library

struct cublasLtContext {};

namespace {

/** What the opaque descriptors hold here; they fit into the structs of the header. */
struct Desc {
  cublasComputeType_t compute;
  cudaDataType scale;
  int32_t transA, transB;
  uint32_t epilogue;
  const void* bias;
  void* aux;
  int64_t auxLd;
  int32_t biasType, auxType, pointerMode;
};
struct Layout {
  uint64_t rows, columns;
  int64_t ld, batchStride;
  cudaDataType type;
  int32_t order, batch;
};
struct Preference {
  uint64_t workspace;
};
static_assert(sizeof(Desc) <= sizeof(cublasLtMatmulDescOpaque_t));
static_assert(sizeof(Layout) <= sizeof(cublasLtMatrixLayoutOpaque_t));

template <class T, class Handle>
T& as(Handle handle) {
  return *reinterpret_cast<T*>(handle);
}

/** The sizes of attributes are exact: 8 bytes for a 4-byte attribute are refused. */
template <class T>
cublasStatus_t assign(T& field, const void* buffer, size_t bytes) {
  if (!buffer || bytes != sizeof(T)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&field, buffer, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

template <class T, class Handle>
cublasStatus_t create(Handle* handle, const T& value, const char* kind) {
  if (!handle) return CUBLAS_STATUS_INVALID_VALUE;
  *handle = new std::remove_pointer_t<Handle>{};
  std::memcpy(*handle, &value, sizeof value);
  __cudaEmuCount(kind, 1);
  return CUBLAS_STATUS_SUCCESS;
}

template <class Handle>
cublasStatus_t destroy(Handle handle, const char* kind) {
  if (!handle) return CUBLAS_STATUS_INVALID_VALUE;
  delete handle;
  __cudaEmuCount(kind, -1);
  return CUBLAS_STATUS_SUCCESS;
}

bool wants(const Desc& d, unsigned part) { return (d.epilogue & part) != 0; }
constexpr unsigned kRelu = 2, kBias = 4, kDRelu = 8, kBGrad = 16, kAux = 128, kBGradA = 256, kBGradB = 512;

bool knownEpilogue(unsigned e) {
  for (unsigned known :
       {CUBLASLT_EPILOGUE_DEFAULT, CUBLASLT_EPILOGUE_RELU, CUBLASLT_EPILOGUE_RELU_AUX, CUBLASLT_EPILOGUE_BIAS,
        CUBLASLT_EPILOGUE_RELU_BIAS, CUBLASLT_EPILOGUE_RELU_AUX_BIAS, CUBLASLT_EPILOGUE_DRELU,
        CUBLASLT_EPILOGUE_DRELU_BGRAD, CUBLASLT_EPILOGUE_BGRADA, CUBLASLT_EPILOGUE_BGRADB}) {
    if (e == known) return true;
  }
  return false;
}

struct Shapes {
  int64_t m, n, k;
};

cublasStatus_t check(const Desc& d, const Layout& a, const Layout& b, const Layout& c, const Layout& out, Shapes& s) {
  const bool ta = d.transA != CUBLAS_OP_N, tb = d.transB != CUBLAS_OP_N;
  s.m = static_cast<int64_t>(ta ? a.columns : a.rows);
  s.k = static_cast<int64_t>(ta ? a.rows : a.columns);
  s.n = static_cast<int64_t>(tb ? b.rows : b.columns);
  const auto inner = static_cast<int64_t>(tb ? b.columns : b.rows);
  if (inner != s.k || static_cast<int64_t>(out.rows) != s.m || static_cast<int64_t>(out.columns) != s.n ||
      c.rows != out.rows || c.columns != out.columns) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  for (const Layout* l : {&a, &b, &c, &out}) {
    if (l->order != CUBLASLT_ORDER_COL) return CUBLAS_STATUS_NOT_SUPPORTED;
    if (l->ld < static_cast<int64_t>(l->rows)) return CUBLAS_STATUS_INVALID_VALUE;
    if (l->batch != out.batch) return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (a.type != b.type || c.type != out.type || bytesOf(a.type) == 0 ||
      (out.type != a.type && out.type != CUDA_R_32F)) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  if (!knownEpilogue(d.epilogue)) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (wants(d, kAux) && (d.auxLd % 128 != 0 || d.auxLd < s.m)) return CUBLAS_STATUS_INVALID_VALUE;
  if (d.scale != CUDA_R_32F || (d.compute != CUBLAS_COMPUTE_32F && d.compute != CUBLAS_COMPUTE_32F_FAST_TF32 &&
                                d.compute != CUBLAS_COMPUTE_32F_PEDANTIC)) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  return CUBLAS_STATUS_SUCCESS;
}

bool bit(const void* mask, int64_t i) { return (static_cast<const uint8_t*>(mask)[i / 8] >> (i % 8)) & 1; }
void setBit(void* mask, int64_t i, bool on) {
  auto& byte = static_cast<uint8_t*>(mask)[i / 8];
  byte = static_cast<uint8_t>(on ? byte | (1 << (i % 8)) : byte & ~(1 << (i % 8)));
}

/** One matrix of the batch; epilogues other than bias and ReLU are for single matrices. */
void matmul(const Desc& d, const Shapes& s, float alpha, float beta, const Matrix& a, const Matrix& b, const void* c,
            int64_t ldc, void* out, int64_t ld, cudaDataType type) {
  const std::vector<float> values = product(s.m, s.n, s.k, alpha, a, b);
  const cudaDataType biasType = d.biasType >= 0 ? static_cast<cudaDataType>(d.biasType) : type;
  std::vector<double> rowSums(static_cast<size_t>(s.m), 0);
  for (int64_t j = 0; j < s.n; ++j) {
    for (int64_t i = 0; i < s.m; ++i) {
      float v = values[static_cast<size_t>(i + j * s.m)];
      if (beta != 0) v += beta * load(c, static_cast<size_t>(i + j * ldc), type);
      if (wants(d, kBias)) v += load(d.bias, static_cast<size_t>(i), biasType);
      if (wants(d, kRelu)) {
        if (wants(d, kAux)) setBit(d.aux, i + j * d.auxLd, v > 0);
        v = v > 0 || v != v ? v : 0;
      }
      if (wants(d, kDRelu)) v = bit(d.aux, i + j * d.auxLd) ? v : 0;
      rowSums[static_cast<size_t>(i)] += v;
      store(out, static_cast<size_t>(i + j * ld), type, v);
    }
  }
  auto* gradient = const_cast<void*>(d.bias);
  if (wants(d, kBGrad)) {
    for (int64_t i = 0; i < s.m; ++i) {
      store(gradient, static_cast<size_t>(i), biasType, static_cast<float>(rowSums[static_cast<size_t>(i)]));
    }
  }
  if (wants(d, kBGradA) || wants(d, kBGradB)) {
    const bool ofA = wants(d, kBGradA);
    const int64_t length = ofA ? s.m : s.n;
    for (int64_t i = 0; i < length; ++i) {
      double sum = 0;
      for (int64_t p = 0; p < s.k; ++p) sum += ofA ? a.at(i, p) : b.at(p, i);
      store(gradient, static_cast<size_t>(i), biasType, static_cast<float>(sum));
    }
  }
}

}  // namespace

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  if (!handle) return CUBLAS_STATUS_INVALID_VALUE;
  if (const int code = countCall("cublasLtCreate").code) return static_cast<cublasStatus_t>(code);
  if (__cudaEmuState()) return CUBLAS_STATUS_NOT_INITIALIZED;
  *handle = new cublasLtContext;
  __cudaEmuCount("cublasLt handles", 1);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) { return destroy(handle, "cublasLt handles"); }

size_t cublasLtGetVersion() { return CUBLAS_VERSION; }

const char* cublasLtGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS ? "success" : "failure (see cublasStatus_t)";
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* desc, cublasComputeType_t compute, cudaDataType_t scale) {
  if (const int code = countCall("cublasLtMatmulDescCreate").code) return static_cast<cublasStatus_t>(code);
  return create(
      desc, Desc{compute, scale, CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, nullptr, nullptr, 0, -1, -1, 0},
      "cublasLt descriptors");
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc) { return destroy(desc, "cublasLt descriptors"); }

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t attribute,
                                              const void* buffer, size_t bytes) {
  if (!desc) return CUBLAS_STATUS_INVALID_VALUE;
  if (const int code = countCall("cublasLtMatmulDescSetAttribute").code) return static_cast<cublasStatus_t>(code);
  Desc& d = as<Desc>(desc);
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return assign(d.transA, buffer, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return assign(d.transB, buffer, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return assign(d.epilogue, buffer, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return assign(d.bias, buffer, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER:
      return assign(d.aux, buffer, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD:
      return assign(d.auxLd, buffer, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE:
      return assign(d.biasType, buffer, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_DATA_TYPE:
      return assign(d.auxType, buffer, bytes);
    case CUBLASLT_MATMUL_DESC_POINTER_MODE:
      return assign(d.pointerMode, buffer, bytes);
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, uint64_t rows,
                                          uint64_t columns, int64_t ld) {
  if (const int code = countCall("cublasLtMatrixLayoutCreate").code) return static_cast<cublasStatus_t>(code);
  return create(layout, Layout{rows, columns, ld, 0, type, CUBLASLT_ORDER_COL, 1}, "cublasLt descriptors");
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  return destroy(layout, "cublasLt descriptors");
}

cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t attribute, const void* buffer,
                                                size_t bytes) {
  if (!layout) return CUBLAS_STATUS_INVALID_VALUE;
  Layout& l = as<Layout>(layout);
  switch (attribute) {
    case CUBLASLT_MATRIX_LAYOUT_ORDER:
      return assign(l.order, buffer, bytes);
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT:
      return assign(l.batch, buffer, bytes);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET:
      return assign(l.batchStride, buffer, bytes);
    case CUBLASLT_MATRIX_LAYOUT_LD:
      return assign(l.ld, buffer, bytes);
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  if (const int code = countCall("cublasLtMatmulPreferenceCreate").code) return static_cast<cublasStatus_t>(code);
  return create(preference, Preference{0}, "cublasLt descriptors");
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  return destroy(preference, "cublasLt descriptors");
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* buffer,
                                                    size_t bytes) {
  if (!preference) return CUBLAS_STATUS_INVALID_VALUE;
  if (const int code = countCall("cublasLtMatmulPreferenceSetAttribute").code) return static_cast<cublasStatus_t>(code);
  if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) {
    return assign(as<Preference>(preference).workspace, buffer, bytes);
  }
  return buffer ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

/** Two algorithms: one that wants workspace, and one that does not, so that limits and fallbacks are used. */
constexpr size_t kWorkspace = 1 << 20;

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int requested,
                                              cublasLtMatmulHeuristicResult_t results[], int* returned) {
  if (!handle || !desc || !a || !b || !c || !d || !preference || !results || !returned || requested <= 0) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  *returned = 0;
  if (const int code = countCall("cublasLtMatmulAlgoGetHeuristic").code) return static_cast<cublasStatus_t>(code);
  Shapes s{};
  if (const cublasStatus_t status =
          check(as<Desc>(desc), as<Layout>(a), as<Layout>(b), as<Layout>(c), as<Layout>(d), s)) {
    return status;
  }
  for (size_t workspace : {kWorkspace, size_t{0}}) {
    if (workspace > as<Preference>(preference).workspace || *returned == requested) continue;
    cublasLtMatmulHeuristicResult_t result{};
    result.workspaceSize = workspace;
    result.algo.data[0] = workspace;
    result.state = CUBLAS_STATUS_SUCCESS;
    results[(*returned)++] = result;
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t layoutA, const void* b, cublasLtMatrixLayout_t layoutB,
                              const void* beta, const void* c, cublasLtMatrixLayout_t layoutC, void* d,
                              cublasLtMatrixLayout_t layoutD, const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              size_t workspaceBytes, cudaStream_t stream) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!desc || !layoutA || !layoutB || !layoutC || !layoutD || !alpha || !beta) return CUBLAS_STATUS_INVALID_VALUE;
  if (const int code = countCall("cublasLtMatmul").code) return static_cast<cublasStatus_t>(code);
  if (__cudaEmuState()) return CUBLAS_STATUS_EXECUTION_FAILED;
  const Desc description = as<Desc>(desc);
  const Layout la = as<Layout>(layoutA), lb = as<Layout>(layoutB), lc = as<Layout>(layoutC), ld = as<Layout>(layoutD);
  Shapes s{};
  if (const cublasStatus_t status = check(description, la, lb, lc, ld, s)) return status;
  if (algorithm && algorithm->data[0] > workspaceBytes) return CUBLAS_STATUS_INVALID_VALUE;
  if (workspaceBytes > 0 && (!workspace || reinterpret_cast<uintptr_t>(workspace) % 256 != 0)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if ((wants(description, kBias) || wants(description, kBGrad | kBGradA | kBGradB)) && !description.bias) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (wants(description, kAux) && !description.aux) return CUBLAS_STATUS_INVALID_VALUE;
  if (ld.batch > 1 && (description.epilogue & ~(1U | kRelu | kBias)) != 0) return CUBLAS_STATUS_NOT_SUPPORTED;
  const auto covers = [&](const void* data, const Layout& l) {
    const size_t span = spanOf(static_cast<int64_t>(l.rows), static_cast<int64_t>(l.columns), l.ld, l.type);
    return span == 0 ||
           __cudaEmuIsDevice(data, span + static_cast<size_t>((l.batch - 1) * l.batchStride) * bytesOf(l.type));
  };
  const float alphaValue = *static_cast<const float*>(alpha), betaValue = *static_cast<const float*>(beta);
  if (!covers(a, la) || !covers(b, lb) || !covers(d, ld) || (betaValue != 0 && !covers(c, lc))) {
    enqueue(stream, [] { return cudaErrorIllegalAddress; });
    return CUBLAS_STATUS_SUCCESS;
  }
  const cudaError_t error = enqueue(stream, [=] {
    for (int64_t i = 0; i < ld.batch; ++i) {
      const auto at = [&](const void* data, const Layout& l) {
        return static_cast<const char*>(data) + static_cast<size_t>(i * l.batchStride) * bytesOf(l.type);
      };
      matmul(description, s, alphaValue, betaValue, {at(a, la), la.type, la.ld, description.transA != CUBLAS_OP_N},
             {at(b, lb), lb.type, lb.ld, description.transB != CUBLAS_OP_N}, at(c, lc), lc.ld,
             const_cast<char*>(at(d, ld)), ld.ld, ld.type);
    }
    return cudaSuccess;
  });
  return error ? CUBLAS_STATUS_EXECUTION_FAILED : CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
