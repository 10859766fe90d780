#pragma once

#include <cstdint>
#include <functional>

#include "core/backend.h"
#include "core/bfloat16.h"
#include "core/descriptors.h"
#include "core/error.h"
#include "core/kernel.h"
#include "cpu/kernel_base.h"
#include "cpu/simd.h"

/** @file How CPU kernels take bfloat16: loops load and store it, or a float32 kernel runs between two conversions. */
namespace fovea::cpu {

/** An element as the float that loops compute with, and back: the same loop serves both types. */
FOVEA_INLINE float load(float v) { return v; }
FOVEA_INLINE float load(BFloat16 v) { return toFloat(v); }
FOVEA_INLINE void store(float* to, float v) { *to = v; }
FOVEA_INLINE void store(BFloat16* to, float v) { *to = toBFloat16(v); }

/** y = x, on the calling thread. */
void widen(const BFloat16* x, float* y, int64_t n);
void narrow(const float* x, BFloat16* y, int64_t n);

/** Calls `body` with a null pointer of the type that stands for `dtype`, float or BFloat16. */
template <class Body>
auto withFloatType(DType dtype, const Body& body) {
  if (dtype == DType::kBfloat16) return body(static_cast<BFloat16*>(nullptr));
  return body(static_cast<float*>(nullptr));
}

/** Whether an operand is bfloat16. */
bool usesBfloat16(const Operands& operands);

/** The descriptor with float32 in the place of bfloat16. */
template <class D>
D inFloat32(D d) {
  for (auto* list : {&d.inputs, &d.outputs}) {
    for (TensorDesc& t : *list) {
      if (t.dtype == DType::kBfloat16) t.dtype = DType::kFloat32;
    }
  }
  return d;
}

/** `kernel` works on float32 operands; the result takes those of `operands`, with conversions in the workspace. */
KernelPtr converting(const Operands& operands, KernelPtr kernel);

}  // namespace fovea::cpu
