#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "core/matmul_geometry.h"
#include "cuda/backend.h"
#include "cuda/epilogue.h"
#include "cuda/kernel.h"
#include "cuda/layout.h"

/**
 * @file
 * Products of matrices, alone or in batches. cuBLAS counts columns first: row-major y = a b is its y' = b' a', so b is
 * its first operand and nothing is moved. Bias and ReLU are cublasLt's epilogue where it has one, else an own kernel's.
 */
namespace fovea::cuda {
namespace {

constexpr const char* kOp = "matmul";

cudaDataType_t dataType(DType type) {
  switch (type) {
    case DType::kBfloat16:
      return CUDA_R_16BF;
    case DType::kFloat16:
      return CUDA_R_16F;
    default:
      return CUDA_R_32F;
  }
}

cublasComputeType_t computeType(const Context& context, DType type) {
  return type == DType::kFloat32 && context.options().tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

/** "matmul [32,784] x [784,10] of float32". */
std::string describeProduct(const MatmulGeometry& q) {
  const std::string batch = q.batch > 1 ? std::to_string(q.batch) + " x " : "";
  return std::string(kOp) + " " + batch + describe(Dims{q.m, q.k}) + " x " + describe(Dims{q.k, q.n}) + " of " +
         nameOf(q.type);
}

/** The product as cuBLAS sees it: rows, columns and the first operand are those of b. */
struct Columns {
  explicit Columns(const MatmulGeometry& q)
      : m(static_cast<int>(q.n)),
        n(static_cast<int>(q.m)),
        k(static_cast<int>(q.k)),
        first(q.transposeB ? CUBLAS_OP_T : CUBLAS_OP_N),
        second(q.transposeA ? CUBLAS_OP_T : CUBLAS_OP_N),
        firstLd(static_cast<int>(q.transposeB ? q.k : q.n)),
        secondLd(static_cast<int>(q.transposeA ? q.m : q.k)) {}
  int m, n, k;
  cublasOperation_t first, second;
  int firstLd, secondLd;
};

/** cublasLt's descriptors of one product with an epilogue, and the algorithm it prefers. */
class LtProduct {
 public:
  /** Null where cublasLt has no algorithm for it. */
  static std::unique_ptr<LtProduct> make(Context& context, const MatmulGeometry& q) {
    std::unique_ptr<LtProduct> product(new LtProduct(context, describeProduct(q)));
    product->describe(q);
    product->choose();
    return product->found_ ? std::move(product) : nullptr;
  }
  ~LtProduct() {
    if (operation_ != nullptr) cublasLtMatmulDescDestroy(operation_);
    for (cublasLtMatrixLayout_t layout : {b_, a_, y_}) {
      if (layout != nullptr) cublasLtMatrixLayoutDestroy(layout);
    }
  }
  LtProduct(const LtProduct&) = delete;
  LtProduct& operator=(const LtProduct&) = delete;

  cublasStatus_t run(const void* a, const void* b, const void* bias, void* y) {
    if (bias != nullptr) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    constexpr float one = 1, zero = 0;
    return cublasLtMatmul(context_.cublasLt(), operation_, &one, b, b_, a, a_, &zero, y, y_, y, y_, &algorithm_,
                          context_.cublasWorkspace(), workspaceBytes_, context_.stream());
  }

 private:
  LtProduct(Context& context, std::string detail) : context_(context), detail_(std::move(detail)) {}

  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, T value) {
    context_.check(cublasLtMatmulDescSetAttribute(operation_, attribute, &value, sizeof value),
                   "cublasLtMatmulDescSetAttribute", detail_);
  }

  void describe(const MatmulGeometry& q) {
    const Columns s(q);
    context_.check(cublasLtMatmulDescCreate(&operation_, computeType(context_, q.type), CUDA_R_32F),
                   "cublasLtMatmulDescCreate", detail_);
    set(CUBLASLT_MATMUL_DESC_TRANSA, s.first);
    set(CUBLASLT_MATMUL_DESC_TRANSB, s.second);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, q.bias && q.relu ? CUBLASLT_EPILOGUE_RELU_BIAS
                                       : q.bias         ? CUBLASLT_EPILOGUE_BIAS
                                                        : CUBLASLT_EPILOGUE_RELU);
    if (q.bias) {
      // Only its alignment counts before the launch, and the heuristics read it.
      set<const void*>(CUBLASLT_MATMUL_DESC_BIAS_POINTER, context_.cublasWorkspace());
      set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, dataType(q.resultType));
    }
    const auto layout = [&](cublasLtMatrixLayout_t* to, DType type, cublasOperation_t op, int rows, int columns,
                            int ld) {
      if (op != CUBLAS_OP_N) std::swap(rows, columns);
      context_.check(cublasLtMatrixLayoutCreate(to, dataType(type), static_cast<uint64_t>(rows),
                                                static_cast<uint64_t>(columns), ld),
                     "cublasLtMatrixLayoutCreate", detail_);
    };
    layout(&b_, q.type, s.first, s.m, s.k, s.firstLd);
    layout(&a_, q.type, s.second, s.k, s.n, s.secondLd);
    layout(&y_, q.resultType, CUBLAS_OP_N, s.m, s.n, s.m);
  }

  void choose() {
    const cublasLtHandle_t handle = context_.cublasLt();  // May throw: before there is anything to destroy.
    cublasLtMatmulPreference_t preference = nullptr;
    context_.check(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate", detail_);
    const auto set = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
      return cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value);
    };
    const uint64_t workspace = context_.cublasWorkspaceBytes();
    const uint32_t alignment = 16;  // Values in the arena are; 256 is assumed otherwise.
    cublasStatus_t status = set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace);
    for (const auto attribute :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
      if (status == CUBLAS_STATUS_SUCCESS) status = set(attribute, alignment);
    }
    cublasLtMatmulHeuristicResult_t result{};
    int count = 0;
    if (status == CUBLAS_STATUS_SUCCESS) {
      const cublasStatus_t search =
          cublasLtMatmulAlgoGetHeuristic(handle, operation_, b_, a_, y_, y_, preference, 1, &result, &count);
      // A product it has no algorithm for is no error here.
      found_ = search == CUBLAS_STATUS_SUCCESS && count > 0 && result.state == CUBLAS_STATUS_SUCCESS;
    }
    cublasLtMatmulPreferenceDestroy(preference);
    context_.check(status, "cublasLtMatmulPreferenceSetAttribute", detail_);
    algorithm_ = result.algo;
    workspaceBytes_ = result.workspaceSize;
  }

  Context& context_;
  const std::string detail_;  ///< The product, for messages.
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t b_ = nullptr, a_ = nullptr, y_ = nullptr;
  cublasLtMatmulAlgo_t algorithm_{};
  size_t workspaceBytes_ = 0;
  bool found_ = false;
};

class MatmulKernel final : public Kernel {
 public:
  /** @param type in which it is computed: that of a and b, or float32 where the device cannot multiply theirs */
  MatmulKernel(Context& context, const MatmulGeometry& q, DType type) : context_(context), q_(q), type_(type) {
    context_.enter();
    context_.cublas();
    MatmulGeometry typed = q;
    typed.type = type;
    if (converts()) {
      typed.resultType = type;
      a_ = layout_.take(elements(q.m * q.k));
      b_ = layout_.take(elements(q.k * q.n));
      if (q.resultType != type) y_ = layout_.take(elements(q.m * q.n));
    }
    // cublasLt adds a bias of y's type only.
    const bool epilogue = q.bias || q.relu;
    if (epilogue && q.batch == 1 && !converts() && (!q.bias || q.biasType == q.resultType)) {
      lt_ = LtProduct::make(context, typed);
    }
  }

  size_t workspaceBytes() const override { return layout_.bytes(); }

  std::string implementation() const override {
    return std::string(lt_ ? "cublasLt" : "cublas") + (converts() ? ", in float32" : "");
  }

  void launch(Stream&, const Pointers& p) override {
    context_.enter();
    const void *a = p.inputs[0], *b = p.inputs[1], *bias = q_.bias ? p.inputs[2] : nullptr;
    void* y = p.outputs[0];
    if (lt_) {
      const cublasStatus_t status = lt_->run(a, b, bias, y);
      if (status == CUBLAS_STATUS_SUCCESS) [[likely]]
        return;
      if (status != CUBLAS_STATUS_NOT_SUPPORTED) context_.check(status, "cublasLtMatmul", detail());
      cudaGetLastError();
      lt_.reset();  // From now on in two steps.
    }
    if (converts()) {
      a = converted(p, a, a_, q_.m * q_.k);
      b = converted(p, b, b_, q_.k * q_.n);
      if (q_.resultType != type_) y = at<void>(p.workspace, y_);
    }
    const DType result = converts() ? type_ : q_.resultType;
    multiply(a, b, y, result);
    if (y != p.outputs[0]) {
      convertElements(context_, kOp, y, result, p.outputs[0], q_.resultType, q_.batch * q_.m * q_.n);
    }
    finish(context_, kOp, p.outputs[0], q_.resultType, q_.batch * q_.m, q_.n, {bias, q_.biasType, nullptr, q_.relu});
  }

 private:
  bool converts() const { return type_ != q_.type; }
  size_t elements(int64_t n) const { return static_cast<size_t>(q_.batch * n) * bytesPerElement(type_); }
  std::string detail() const { return describeProduct(q_); }

  const void* converted(const Pointers& p, const void* from, size_t offset, int64_t n) {
    void* to = at<void>(p.workspace, offset);
    convertElements(context_, kOp, from, q_.type, to, type_, q_.batch * n);
    return to;
  }

  void multiply(const void* a, const void* b, void* y, DType result) {
    constexpr float one = 1, zero = 0;
    const Columns s(q_);
    const cudaDataType_t in = dataType(type_), out = dataType(result);
    const cublasComputeType_t compute = computeType(context_, type_);
    if (q_.batch == 1) {
      context_.check(cublasGemmEx(context_.cublas(), s.first, s.second, s.m, s.n, s.k, &one, b, in, s.firstLd, a, in,
                                  s.secondLd, &zero, y, out, s.m, compute, CUBLAS_GEMM_DEFAULT),
                     "cublasGemmEx", [&] { return detail(); });
      return;
    }
    context_.check(
        cublasGemmStridedBatchedEx(context_.cublas(), s.first, s.second, s.m, s.n, s.k, &one, b, in, s.firstLd,
                                   q_.k * q_.n, a, in, s.secondLd, q_.m * q_.k, &zero, y, out, s.m, q_.m * q_.n,
                                   static_cast<int>(q_.batch), compute, CUBLAS_GEMM_DEFAULT),
        "cublasGemmStridedBatchedEx", [&] { return detail(); });
  }

  Context& context_;
  const MatmulGeometry q_;
  const DType type_;
  Layout layout_;
  size_t a_ = 0, b_ = 0, y_ = 0;
  std::unique_ptr<LtProduct> lt_;
};

}  // namespace

KernelPtr CudaBackend::prepareMatmul(const MatmulDesc& d) {
  const MatmulGeometry q = parseMatmul(d);
  if (q.batch * q.m * q.n == 0) return makeNothing(context());
  if (q.k == 0) return makeEpilogueOfZeros(context(), kOp, d, q.bias, false, q.relu);
  for (const int64_t size : {q.batch, q.m, q.n, q.k}) {
    if (size > std::numeric_limits<int>::max()) {
      throw Error("ERR_UNSUPPORTED", "matmul: expected sizes below 2^31, received " + describeProduct(q));
    }
  }
  // Before Ampere there is no arithmetic on bfloat16.
  const bool wide = q.type == DType::kBfloat16 && context().properties().major < 8;
  return std::make_unique<MatmulKernel>(context(), q, wide ? DType::kFloat32 : q.type);
}

}  // namespace fovea::cuda
