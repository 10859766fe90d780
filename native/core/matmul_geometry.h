#pragma once

#include <cstdint>
#include <string>

#include "core/check_operands.h"
#include "core/descriptors.h"

/** @file The matmul kernel's operands, checked and taken apart. */
namespace fovea {

/** y [batch,m,n] = activation(a b + bias), a [batch,m,k] and b [batch,k,n] or their transposes. */
struct MatmulGeometry {
  int64_t batch = 1, m = 0, k = 0, n = 0;
  bool transposeA = false, transposeB = false;
  bool bias = false, relu = false;
  DType type = DType::kFloat32;        ///< Of a and b.
  DType resultType = DType::kFloat32;  ///< Of y: `type`, or float32.
  DType biasType = DType::kFloat32;    ///< Of the bias: `type`, or float32.
};

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline MatmulGeometry parseMatmul(const MatmulDesc& d) {
  const Check check("matmul", d);
  check.counts(2, 3, 1, 1);
  const TensorDesc &a = d.inputs[0], &b = d.inputs[1], &y = d.outputs[0];
  check.anyFloat(a, "a");
  check.type(b, "b", a.dtype);
  check.rankAtLeast(a, "a", 2);
  check.rank(b, "b", a.rank());
  const size_t r = a.dims.size();
  MatmulGeometry q;
  q.transposeA = d.transposeA;
  q.transposeB = d.transposeB;
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
  check.typeOr(y, "y", a.dtype, DType::kFloat32);
  check.tensor(y, "y", y.dtype, result);
  q.bias = d.inputs.size() == 3;
  q.relu = d.activation == Activation::kRelu;
  q.type = a.dtype;
  q.resultType = y.dtype;
  if (q.bias) {
    check.typeOr(d.inputs[2], "bias", a.dtype, DType::kFloat32);
    check.tensor(d.inputs[2], "bias", d.inputs[2].dtype, {q.n});
    q.biasType = d.inputs[2].dtype;
  }
  return q;
}

}  // namespace fovea
