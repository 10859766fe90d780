#pragma once

#include <napi.h>

#include <string>

#include "core/dtype.h"

/**
 * @file
 * JavaScript values as plain ones. Whatever has the wrong type is an `ERR_ARGUMENT` that names the argument, what was
 * expected and what was received.
 */
namespace fovea {

/** Throws `name: expected ..., received ...`. */
[[noreturn]] void refuseArgument(const std::string& name, const std::string& expected, const Napi::Value& received);
[[noreturn]] void refuseArgument(const std::string& name, const std::string& expected, const std::string& received);

/** A value in few words: `'text'`, `undefined`, `Float32Array(4)`. */
std::string describeValue(const Napi::Value& value);

std::string toText(const Napi::Value& value, const std::string& name);
double toNumber(const Napi::Value& value, const std::string& name);
bool toBoolean(const Napi::Value& value, const std::string& name);
/** A whole number, of either sign. */
int64_t toInteger(const Napi::Value& value, const std::string& name);
/** A number of bytes or elements: whole and not negative. One that no memory can hold is ERR_OUT_OF_MEMORY. */
size_t toSize(const Napi::Value& value, const std::string& name);
/** A dtype that native devices have; ERR_DTYPE otherwise. */
DType toDType(const Napi::Value& value, const std::string& name);
Napi::Array toArray(const Napi::Value& value, const std::string& name);
Napi::Object toObject(const Napi::Value& value, const std::string& name);
/** The elements of a typed array exactly `size` long, valid during the call. One of another dtype is ERR_DTYPE. */
const void* toElements(const Napi::Value& value, DType dtype, size_t size, const std::string& name);

/** The name of the typed array that carries a dtype. */
const char* typedArrayName(DType dtype);
napi_typedarray_type typedArrayType(DType dtype);

}  // namespace fovea
