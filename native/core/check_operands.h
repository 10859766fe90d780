#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/descriptors.h"
#include "core/error.h"
#include "core/kernel.h"

/** @file What the kernels of every backend use to check operands and to find them. */
namespace fovea {

template <class T>
const T* in(const Pointers& p, size_t i) {
  return static_cast<const T*>(p.inputs[i]);
}
template <class T>
T* out(const Pointers& p, size_t i) {
  return static_cast<T*>(p.outputs[i]);
}

/** Rounds up to the 64 bytes of a cache line. */
constexpr size_t align64(size_t bytes) { return (bytes + 63) & ~size_t{63}; }

/** A byte offset into a workspace as a pointer. */
template <class T>
T* at(void* base, size_t offset) {
  return reinterpret_cast<T*>(static_cast<char*>(base) + offset);
}

/** Hands out 64-byte aligned parts of a workspace while a kernel is prepared. */
class Layout {
 public:
  size_t take(size_t bytes) {
    const size_t offset = bytes_;
    bytes_ += align64(bytes);
    return offset;
  }
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0;
};

/** The product of dims[from..to). */
inline int64_t product(const Dims& dims, size_t from, size_t to) {
  int64_t n = 1;
  for (size_t i = from; i < to; ++i) n *= dims[i];
  return n;
}
inline int64_t product(const Dims& dims) { return product(dims, 0, dims.size()); }

/** "[2,3]", for messages. */
inline std::string describe(const Dims& dims) {
  std::string s = "[";
  for (int64_t d : dims) s.append(std::to_string(d)).push_back(',');
  if (!dims.empty()) s.pop_back();
  s.push_back(']');
  return s;
}

/** Checks the operands of one kernel against its contract; failures are ERR_ARGUMENT. */
class Check {
 public:
  Check(const char* kernel, const Operands& operands) : kernel_(kernel), operands_(operands) {}

  [[noreturn]] void fail(const std::string& expected, const std::string& received) const {
    throw Error("ERR_ARGUMENT", std::string(kernel_) + ": expected " + expected + ", received " + received);
  }
  void that(bool ok, const std::string& expected, const std::string& received) const {
    if (!ok) fail(expected, received);
  }
  void counts(size_t fewestInputs, size_t mostInputs, size_t fewestOutputs, size_t mostOutputs) const {
    const size_t n = operands_.inputs.size(), m = operands_.outputs.size();
    if (n < fewestInputs || n > mostInputs || m < fewestOutputs || m > mostOutputs) {
      fail(range(fewestInputs, mostInputs) + " inputs and " + range(fewestOutputs, mostOutputs) + " outputs",
           std::to_string(n) + " and " + std::to_string(m));
    }
  }
  void counts(size_t inputs, size_t outputs) const { counts(inputs, inputs, outputs, outputs); }
  void tensor(const TensorDesc& t, const char* name, DType dtype, const Dims& dims) const {
    if (t.dtype != dtype || t.dims != dims) {
      fail(std::string(name) + " " + fovea::describe(TensorDesc{dtype, dims}), fovea::describe(t));
    }
  }
  void floats(const TensorDesc& t, const char* name) const { type(t, name, DType::kFloat32); }
  /** float32 or a float of 16 bits. */
  void anyFloat(const TensorDesc& t, const char* name) const {
    if (!isFloat(t.dtype)) fail(std::string(name) + " of float32, bfloat16 or float16", fovea::describe(t));
  }
  /** One of two types: an operand that may be wider than those it is computed with. */
  void typeOr(const TensorDesc& t, const char* name, DType dtype, DType other) const {
    if (t.dtype != other) type(t, name, dtype);
  }
  void type(const TensorDesc& t, const char* name, DType dtype) const {
    if (t.dtype != dtype) fail(std::string(name) + " of " + nameOf(dtype), fovea::describe(t));
  }
  void rank(const TensorDesc& t, const char* name, int64_t rank) const {
    if (t.rank() != rank) fail(std::string(name) + " of rank " + std::to_string(rank), fovea::describe(t));
  }
  void rankAtLeast(const TensorDesc& t, const char* name, int64_t rank) const {
    if (t.rank() < rank) fail(std::string(name) + " of rank " + std::to_string(rank) + " or more", fovea::describe(t));
  }

 private:
  static std::string range(size_t a, size_t b) {
    return a == b ? std::to_string(a) : std::to_string(a) + " to " + std::to_string(b);
  }
  const char* kernel_;
  const Operands& operands_;
};

}  // namespace fovea
