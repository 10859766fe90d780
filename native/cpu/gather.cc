#include <algorithm>
#include <cstring>
#include <string>

#include "core/gather_geometry.h"
#include "cpu/backend.h"
#include "cpu/kernel_base.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"

/** @file Kernels that read indices: gather, scatterAdd, oneHot. */
namespace fovea::cpu {
namespace {

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

FOVEA_CLONES void addRow(const float* x, float* y, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] += x[i];
}

}  // namespace

KernelPtr CpuBackend::prepareGather(const AxisDesc& d) {
  const GatherGeometry g = parseGather(d);
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
  const GatherGeometry g = parseScatterAdd(d);
  if (usesNarrow(d)) return converting(d, prepareScatterAdd(inFloat32(d)));
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
  checkOneHot(d);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  const int64_t count = x.size(), depth = y.dims.back();
  const size_t element = bytesPerElement(y.dtype);
  const uint16_t one = y.dtype == DType::kFloat16 ? toFloat16(1.0f).bits : toBFloat16(1.0f).bits;
  return makeKernel([=](const Pointers& p) {
    const auto* indices = in<int32_t>(p, 0);
    parallelFor(count, depth, [&](int64_t i) {
      std::memset(out<char>(p, 0) + i * depth * element, 0, depth * element);
      const int64_t k = indices[i];
      if (k < 0 || k >= depth) return;
      if (element == 4) {
        out<float>(p, 0)[i * depth + k] = 1.0f;
      } else if (element == 2) {
        out<uint16_t>(p, 0)[i * depth + k] = one;
      } else {
        out<uint8_t>(p, 0)[i * depth + k] = 1;
      }
    });
  });
}

}  // namespace fovea::cpu
