#include <algorithm>
#include <cstring>
#include <string>

#include "cpu/backend.h"
#include "cpu/bfloat16.h"
#include "cpu/kernel_base.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"

/** @file Kernels that read indices: gather, scatterAdd, oneHot. */
namespace fovea::cpu {
namespace {

struct Geometry {
  int64_t outer, axis, inner, count;
};

/** Before anything is written. */
void checkIndices(const char* kernel, const int32_t* indices, int64_t count, int64_t axis) {
  for (int64_t i = 0; i < count; ++i) {
    if (indices[i] < 0 || indices[i] >= axis) {
      throw Error("ERR_EXECUTION", std::string(kernel) + ": expected indices from 0 to " + std::to_string(axis - 1) +
                                       ", received index " + std::to_string(indices[i]) + " at position " +
                                       std::to_string(i));
    }
  }
}

/** `whole` has the axis, `picked` = whole[:axis] + indices + whole[axis+1:]. */
Geometry geometry(const Check& check, const AxisDesc& d, const TensorDesc& whole, const TensorDesc& indices,
                  const TensorDesc& picked) {
  check.type(indices, "indices", DType::kInt32);
  check.that(d.axis >= 0 && d.axis < whole.rank(), "an axis below " + std::to_string(whole.rank()),
             std::to_string(d.axis));
  Dims expected(whole.dims.begin(), whole.dims.begin() + d.axis);
  expected.insert(expected.end(), indices.dims.begin(), indices.dims.end());
  expected.insert(expected.end(), whole.dims.begin() + d.axis + 1, whole.dims.end());
  check.tensor(picked, "the gathered side", whole.dtype, expected);
  return {product(whole.dims, 0, d.axis), whole.dims[d.axis], product(whole.dims, d.axis + 1, whole.dims.size()),
          indices.size()};
}

FOVEA_CLONES void addRow(const float* x, float* y, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] += x[i];
}

}  // namespace

KernelPtr CpuBackend::prepareGather(const AxisDesc& d) {
  const Check check("gather", d);
  check.counts(2, 1);
  const Geometry g = geometry(check, d, d.inputs[0], d.inputs[1], d.outputs[0]);
  const int64_t row = g.inner * static_cast<int64_t>(bytesPerElement(d.inputs[0].dtype));
  return makeKernel([=](const Pointers& p) {
    const auto* indices = in<int32_t>(p, 1);
    checkIndices("gather", indices, g.count, g.axis);
    parallelFor(g.outer * g.count, row / 8, [&](int64_t i) {
      const int64_t o = i / g.count, k = i % g.count;
      std::memcpy(out<char>(p, 0) + i * row, in<char>(p, 0) + (o * g.axis + indices[k]) * row, row);
    });
  });
}

KernelPtr CpuBackend::prepareScatterAdd(const AxisDesc& d) {
  const Check check("scatterAdd", d);
  check.counts(2, 1);
  if (usesBfloat16(d)) {
    return throughFloat32("scatterAdd", d, [&](const AxisDesc& f) { return prepareScatterAdd(f); });
  }
  check.floats(d.outputs[0], "dx");
  const Geometry g = geometry(check, d, d.outputs[0], d.inputs[0], d.inputs[1]);
  return makeKernel([=](const Pointers& p) {
    const auto* indices = in<int32_t>(p, 0);
    const float* dy = in<float>(p, 1);
    float* dx = out<float>(p, 0);
    checkIndices("scatterAdd", indices, g.count, g.axis);
    // Split over outer positions and parts of the inner axis: every sum keeps the order of the indices.
    const int64_t width = g.outer >= maxThreads() ? std::max<int64_t>(g.inner, 1) : 64;
    const int64_t parts = (g.inner + width - 1) / width;
    parallelFor(g.outer * parts, (g.axis + g.count) * std::min(width, g.inner), [&](int64_t task) {
      const int64_t o = task / parts, from = task % parts * width, n = std::min(width, g.inner - from);
      for (int64_t a = 0; a < g.axis; ++a) std::fill_n(dx + (o * g.axis + a) * g.inner + from, n, 0.0f);
      for (int64_t k = 0; k < g.count; ++k) {
        addRow(dy + (o * g.count + k) * g.inner + from, dx + (o * g.axis + indices[k]) * g.inner + from, n);
      }
    });
  });
}

KernelPtr CpuBackend::prepareOneHot(const PlainDesc& d) {
  const Check check("oneHot", d);
  check.counts(1, 1);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  check.type(x, "indices", DType::kInt32);
  check.that(isFloat(y.dtype) || y.dtype == DType::kBool, "a floating-point or bool output", fovea::describe(y));
  check.rank(y, "an output", x.rank() + 1);
  check.that(std::equal(x.dims.begin(), x.dims.end(), y.dims.begin()), "an output of the indices' shape plus depth",
             fovea::describe(y));
  const int64_t count = x.size(), depth = y.dims.back();
  const size_t element = bytesPerElement(y.dtype);
  return makeKernel([=](const Pointers& p) {
    const auto* indices = in<int32_t>(p, 0);
    parallelFor(count, depth, [&](int64_t i) {
      std::memset(out<char>(p, 0) + i * depth * element, 0, depth * element);
      const int64_t k = indices[i];
      if (k < 0 || k >= depth) return;
      if (element == 4) {
        out<float>(p, 0)[i * depth + k] = 1.0f;
      } else if (element == 2) {
        out<BFloat16>(p, 0)[i * depth + k] = toBFloat16(1.0f);
      } else {
        out<uint8_t>(p, 0)[i * depth + k] = 1;
      }
    });
  });
}

}  // namespace fovea::cpu
