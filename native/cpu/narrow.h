#pragma once

#include <cstdint>
#include <functional>

#include "core/backend.h"
#include "core/bfloat16.h"
#include "core/descriptors.h"
#include "core/error.h"
#include "core/float16.h"
#include "core/kernel.h"
#include "cpu/kernel_base.h"
#include "cpu/simd.h"

/**
 * @file
 * How CPU kernels take floats of 16 bits. Loops load and store bfloat16, or a float32 kernel runs between two
 * conversions. float16 is always converted: it is here to be right, processors have hardly any arithmetic for it.
 */
namespace fovea::cpu {

/** An element as the float that loops compute with, and back: the same loop serves all types. */
FOVEA_INLINE float load(float v) { return v; }
FOVEA_INLINE float load(BFloat16 v) { return toFloat(v); }
FOVEA_INLINE float load(Float16 v) { return toFloat(v); }
FOVEA_INLINE void store(float* to, float v) { *to = v; }
FOVEA_INLINE void store(BFloat16* to, float v) { *to = toBFloat16(v); }
FOVEA_INLINE void store(Float16* to, float v) { *to = toFloat16(v); }

/** y = x, on the calling thread. */
void widen(const BFloat16* x, float* y, int64_t n);
void widen(const Float16* x, float* y, int64_t n);
void narrow(const float* x, BFloat16* y, int64_t n);
void narrow(const float* x, Float16* y, int64_t n);

/**
 * Calls `body` with a null pointer of the type that stands for `dtype`, float or BFloat16: the types that loops are
 * written for. Kernels convert float16 before they come here.
 */
template <class Body>
auto withFloatType(DType dtype, const Body& body) {
  if (dtype == DType::kBfloat16) return body(static_cast<BFloat16*>(nullptr));
  return body(static_cast<float*>(nullptr));
}

/** Whether a type is a float of 16 bits. */
constexpr bool isNarrow(DType dtype) { return dtype == DType::kBfloat16 || dtype == DType::kFloat16; }

/** Whether an operand is of the type. */
bool uses(const Operands& operands, DType dtype);

/** Whether an operand is a float of 16 bits. */
inline bool usesNarrow(const Operands& operands) {
  return uses(operands, DType::kBfloat16) || uses(operands, DType::kFloat16);
}

/** The descriptor with float32 in the place of floats of 16 bits. */
template <class D>
D inFloat32(D d) {
  for (auto* list : {&d.inputs, &d.outputs}) {
    for (TensorDesc& t : *list) {
      if (isNarrow(t.dtype)) t.dtype = DType::kFloat32;
    }
  }
  return d;
}

/** `kernel` works on float32 operands; the result takes those of `operands`, with conversions in the workspace. */
KernelPtr converting(const Operands& operands, KernelPtr kernel);

}  // namespace fovea::cpu
