#include <algorithm>
#include <memory>

#include "core/matmul_geometry.h"
#include "cpu/backend.h"
#include "cpu/kernel_base.h"
#include "cpu/matmul_row.h"
#include "cpu/narrow.h"
#include "cpu/onednn.h"
#include "cpu/parallel.h"

/** @file Products of matrices, alone or in batches, by oneDNN but for those of one row: bias and ReLU are fused. */
namespace fovea::cpu {
namespace {

dl::Desc matrix(const MatmulGeometry& q, DType dtype, int64_t rows, int64_t columns, bool transposed, bool batched) {
  const auto type = dl::typeOf(dtype);
  const int64_t r = transposed ? 1 : columns, c = transposed ? rows : 1;
  if (!batched) return dl::Desc(dl::DnnlDims{rows, columns}, type, dl::DnnlDims{r, c});
  return dl::Desc(dl::DnnlDims{q.batch, rows, columns}, type, dl::DnnlDims{rows * columns, r, c});
}

/** y = bias, or 0, with ReLU: what is left of the product when k is 0. */
KernelPtr emptyProduct(const MatmulGeometry& q, bool bias, bool relu) {
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
  const MatmulGeometry q = parseMatmul(d);
  const TensorDesc &a = d.inputs[0], &b = d.inputs[1], &y = d.outputs[0];
  const bool hasBias = q.bias, relu = q.relu;
  if (q.batch * q.m * q.n == 0) return makeKernel([](const Pointers&) {});
  if (q.k == 0) {
    if (usesNarrow(d)) return converting(d, emptyProduct(q, hasBias, relu));
    return emptyProduct(q, hasBias, relu);
  }

  if (KernelPtr row = makeRowProduct(q)) return row;

  if (uses(d, DType::kFloat16)) return converting(d, prepareMatmul(inFloat32(d)));

  const bool bfloat = uses(d, DType::kBfloat16);
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
      if (!bfloat) throw;
    }
    if (bfloat && (!pd || std::string(pd.impl_info_str()).rfind("ref", 0) == 0)) {
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
