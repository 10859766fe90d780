#pragma once

#include "core/bfloat16.h"
#include "core/dtype.h"
#include "core/float16.h"

namespace fovea::cuda {

/** Calls `body` with a null pointer of the storage type that stands for a floating-point `dtype`. */
template <class Body>
auto withFloatType(DType dtype, const Body& body) {
  if (dtype == DType::kBfloat16) return body(static_cast<BFloat16*>(nullptr));
  if (dtype == DType::kFloat16) return body(static_cast<Float16*>(nullptr));
  return body(static_cast<float*>(nullptr));
}

}  // namespace fovea::cuda
