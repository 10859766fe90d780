#include <algorithm>
#include <memory>

#include "cpu/backend.h"
#include "cpu/bfloat16.h"
#include "cpu/kernel_base.h"
#include "cpu/onednn.h"
#include "cpu/parallel.h"

/** @file Products of matrices, alone or in batches, by oneDNN: bias and ReLU are fused. */
namespace fovea::cpu {
namespace {

struct Problem {
  int64_t batch = 1, m = 0, k = 0, n = 0;
};

dl::Desc matrix(const Problem& q, DType dtype, int64_t rows, int64_t columns, bool transposed, bool batched) {
  const auto type = dl::typeOf(dtype);
  const int64_t r = transposed ? 1 : columns, c = transposed ? rows : 1;
  if (!batched) return dl::Desc(dl::DnnlDims{rows, columns}, type, dl::DnnlDims{r, c});
  return dl::Desc(dl::DnnlDims{q.batch, rows, columns}, type, dl::DnnlDims{rows * columns, r, c});
}

/** y = bias, or 0, with ReLU: what is left of the product when k is 0. */
KernelPtr emptyProduct(const Problem& q, bool bias, bool relu) {
  return makeKernel([=](const Pointers& p) {
    float* y = out<float>(p, 0);
    for (int64_t i = 0; i < q.batch * q.m; ++i) {
      for (int64_t j = 0; j < q.n; ++j) {
        const float v = bias ? in<float>(p, 2)[j] : 0.0f;
        y[i * q.n + j] = relu && v <= 0 ? 0.0f : v;
      }
    }
  });
}

}  // namespace

KernelPtr CpuBackend::prepareMatmul(const MatmulDesc& d) {
  const Check check("matmul", d);
  check.counts(2, 3, 1, 1);
  const TensorDesc &a = d.inputs[0], &b = d.inputs[1];
  check.anyFloat(a, "a");
  check.type(b, "b", a.dtype);
  check.rankAtLeast(a, "a", 2);
  check.rank(b, "b", a.rank());
  const size_t r = a.dims.size();
  Problem q;
  q.batch = product(a.dims, 0, r - 2);
  q.m = a.dims[d.transposeA ? r - 1 : r - 2];
  q.k = a.dims[d.transposeA ? r - 2 : r - 1];
  q.n = b.dims[d.transposeB ? r - 2 : r - 1];
  Dims expected(a.dims.begin(), a.dims.end() - 2), result = expected;
  expected.push_back(d.transposeB ? q.n : q.k);
  expected.push_back(d.transposeB ? q.k : q.n);
  check.tensor(b, "b", a.dtype, expected);
  result.push_back(q.m);
  result.push_back(q.n);
  const TensorDesc& y = d.outputs[0];
  check.typeOr(y, "y", a.dtype, DType::kFloat32);
  check.tensor(y, "y", y.dtype, result);
  const bool hasBias = d.inputs.size() == 3, relu = d.activation == Activation::kRelu;
  if (hasBias) {
    check.typeOr(d.inputs[2], "bias", a.dtype, DType::kFloat32);
    check.tensor(d.inputs[2], "bias", d.inputs[2].dtype, {q.n});
  }
  if (q.batch * q.m * q.n == 0) return makeKernel([](const Pointers&) {});
  if (q.k == 0) {
    if (usesBfloat16(d)) return converting(d, emptyProduct(q, hasBias, relu));
    return emptyProduct(q, hasBias, relu);
  }

  return dl::guarded("matmul", [&]() -> KernelPtr {
    const bool batched = q.batch > 1;
    const dl::Desc aDesc = matrix(q, a.dtype, q.m, q.k, d.transposeA, batched),
                   bDesc = matrix(q, b.dtype, q.k, q.n, d.transposeB, batched);
    const dl::Desc yDesc = matrix(q, y.dtype, q.m, q.n, false, batched);
    const auto biasType = dl::typeOf(hasBias ? d.inputs[2].dtype : DType::kFloat32);
    const dl::Desc bias = !hasBias  ? dl::Desc()
                          : batched ? dl::Desc(dl::DnnlDims{1, 1, q.n}, biasType, dl::Tag::abc)
                                    : dl::Desc(dl::DnnlDims{1, q.n}, biasType, dl::Tag::ab);
    dnnl::matmul::primitive_desc pd;
    try {
      pd = dl::matmul(aDesc, bDesc, bias, yDesc, dl::attributes(relu));
    } catch (const dnnl::error&) {
      if (!usesBfloat16(d)) throw;
    }
    if (usesBfloat16(d) && (!pd || std::string(pd.impl_info_str()).rfind("ref", 0) == 0)) {
      return converting(d, prepareMatmul(inFloat32(d)));
    }
    auto exec = std::make_shared<dl::Exec>(dnnl::matmul(pd));
    exec->add(DNNL_ARG_SRC, aDesc);
    exec->add(DNNL_ARG_WEIGHTS, bDesc);
    exec->add(DNNL_ARG_DST, yDesc);
    exec->add(DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc());
    if (hasBias) exec->add(DNNL_ARG_BIAS, bias);
    return makeKernel(
        [=](const Pointers& p) {
          exec->set(0, p.inputs[0]);
          exec->set(1, p.inputs[1]);
          exec->set(2, p.outputs[0]);
          exec->set(3, p.workspace);
          if (hasBias) exec->set(4, p.inputs[2]);
          exec->run();
        },
        pd.scratchpad_desc().get_size(), pd.impl_info_str());
  });
}

}  // namespace fovea::cpu
