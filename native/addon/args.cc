#include "addon/args.h"

#include <cmath>

#include "core/error.h"

namespace fovea {
namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;
/** More bytes than any address space here has. */
constexpr double kMaxSize = 140737488355328.0;

std::string describeTypedArray(const Napi::TypedArray& array) {
  const std::string length = "(" + std::to_string(array.ElementLength()) + ")";
  switch (array.TypedArrayType()) {
    case napi_int8_array:
      return "Int8Array" + length;
    case napi_uint8_array:
      return "Uint8Array" + length;
    case napi_uint8_clamped_array:
      return "Uint8ClampedArray" + length;
    case napi_int16_array:
      return "Int16Array" + length;
    case napi_uint16_array:
      return "Uint16Array" + length;
    case napi_int32_array:
      return "Int32Array" + length;
    case napi_uint32_array:
      return "Uint32Array" + length;
    case napi_float32_array:
      return "Float32Array" + length;
    case napi_float64_array:
      return "Float64Array" + length;
    default:
      return "a typed array" + length;
  }
}

std::string numberText(const Napi::Value& value) { return value.ToString().Utf8Value(); }

}  // namespace

std::string describeValue(const Napi::Value& value) {
  switch (value.Type()) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_boolean:
    case napi_number:
      return numberText(value);
    case napi_string:
      return "'" + value.As<Napi::String>().Utf8Value() + "'";
    case napi_function:
      return "a function";
    case napi_symbol:
      return "a symbol";
    case napi_bigint:
      return "a bigint";
    default:
      break;
  }
  if (value.IsTypedArray()) return describeTypedArray(value.As<Napi::TypedArray>());
  if (value.IsArray()) return "an array of " + std::to_string(value.As<Napi::Array>().Length());
  return "an object";
}

void refuseArgument(const std::string& name, const std::string& expected, const std::string& received) {
  throw Error("ERR_ARGUMENT", name + ": expected " + expected + ", received " + received);
}

void refuseArgument(const std::string& name, const std::string& expected, const Napi::Value& received) {
  refuseArgument(name, expected, describeValue(received));
}

std::string toText(const Napi::Value& value, const std::string& name) {
  if (!value.IsString()) refuseArgument(name, "a string", value);
  return value.As<Napi::String>().Utf8Value();
}

double toNumber(const Napi::Value& value, const std::string& name) {
  if (!value.IsNumber()) refuseArgument(name, "a number", value);
  return value.As<Napi::Number>().DoubleValue();
}

bool toBoolean(const Napi::Value& value, const std::string& name) {
  if (!value.IsBoolean()) refuseArgument(name, "true or false", value);
  return value.As<Napi::Boolean>().Value();
}

int64_t toInteger(const Napi::Value& value, const std::string& name) {
  const double d = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  if (!(std::abs(d) <= kMaxSafeInteger) || d != std::floor(d)) refuseArgument(name, "a whole number", value);
  return static_cast<int64_t>(d);
}

size_t toSize(const Napi::Value& value, const std::string& name) {
  const double d = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  if (!std::isfinite(d) || d < 0 || d != std::floor(d)) refuseArgument(name, "a whole number of 0 or more", value);
  if (d > kMaxSize) throw Error("ERR_OUT_OF_MEMORY", name + ": no memory holds " + numberText(value));
  return static_cast<size_t>(d);
}

DType toDType(const Napi::Value& value, const std::string& name) {
  if (value.IsString()) {
    const std::string text = value.As<Napi::String>().Utf8Value();
    for (DType dtype :
         {DType::kFloat32, DType::kInt32, DType::kUint8, DType::kBool, DType::kBfloat16, DType::kFloat16}) {
      if (text == nameOf(dtype)) return dtype;
    }
  }
  throw Error("ERR_DTYPE", name + ": expected 'float32', 'bfloat16', 'float16', 'int32', 'uint8' or 'bool', received " +
                               describeValue(value));
}

Napi::Array toArray(const Napi::Value& value, const std::string& name) {
  if (!value.IsArray()) refuseArgument(name, "an array", value);
  return value.As<Napi::Array>();
}

Napi::Object toObject(const Napi::Value& value, const std::string& name) {
  if (value.Type() != napi_object || value.IsArray() || value.IsTypedArray()) refuseArgument(name, "an object", value);
  return value.As<Napi::Object>();
}

const void* toElements(const Napi::Value& value, DType dtype, size_t size, const std::string& name) {
  napi_typedarray_type type{};
  size_t length = 0;
  void* data = nullptr;
  const bool ok = value.IsTypedArray() &&
                  napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) == napi_ok;
  if (ok && type != typedArrayType(dtype)) {
    throw Error("ERR_DTYPE", name + ": expected a " + typedArrayName(dtype) + " of " + std::to_string(size) +
                                 ", received " + describeValue(value));
  }
  if (!ok || length != size) {
    refuseArgument(name, std::string("a ") + typedArrayName(dtype) + " of " + std::to_string(size), value);
  }
  return data;
}

const char* typedArrayName(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "Float32Array";
    case DType::kInt32:
      return "Int32Array";
    case DType::kBfloat16:
    case DType::kFloat16:
      return "Uint16Array";
    default:
      return "Uint8Array";
  }
}

napi_typedarray_type typedArrayType(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return napi_float32_array;
    case DType::kInt32:
      return napi_int32_array;
    case DType::kBfloat16:
    case DType::kFloat16:
      return napi_uint16_array;
    default:
      return napi_uint8_array;
  }
}

}  // namespace fovea
