#pragma once

#include <cstddef>
#include <cstdint>

namespace fovea {

/** Element types a native device holds; the names are those of lib/tensor/dtype.ts. */
enum class DType : uint8_t { kFloat32, kInt32, kUint8, kBool, kBfloat16, kFloat16 };

/** Bytes of one element. */
constexpr size_t bytesPerElement(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    case DType::kBfloat16:
    case DType::kFloat16:
      return 2;
    case DType::kUint8:
    case DType::kBool:
      return 1;
  }
  return 1;
}

/** Whether elements are floating-point numbers. */
constexpr bool isFloat(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kBfloat16 || dtype == DType::kFloat16;
}

/** The name used at the border to JavaScript. */
constexpr const char* nameOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "float32";
    case DType::kInt32:
      return "int32";
    case DType::kUint8:
      return "uint8";
    case DType::kBool:
      return "bool";
    case DType::kBfloat16:
      return "bfloat16";
    case DType::kFloat16:
      return "float16";
  }
  return "?";
}

}  // namespace fovea
