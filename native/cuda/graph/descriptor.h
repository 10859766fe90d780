#pragma once

#include <cudnn.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "core/error.h"
#include "cuda/check.h"

/** @file cuDNN's graph API with owners and exceptions. Nothing here needs a device or a handle. */
namespace fovea::cuda::graph {

/** A cuDNN status as an exception: a descriptor or a plan that cuDNN refuses. */
class Refusal : public Error {
 public:
  Refusal(cudnnStatus_t status, const std::string& what)
      : Error(errorCode(status), what + ": " + statusText(status)), status(status) {}
  const cudnnStatus_t status;
};

inline void require(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) throw Refusal(status, what);
}

/** Owns a backend descriptor. */
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(cudnnBackendDescriptorType_t type) {
    require(cudnnBackendCreateDescriptor(type, &descriptor_), "cudnnBackendCreateDescriptor");
  }
  ~Descriptor() {
    if (descriptor_ != nullptr) cudnnBackendDestroyDescriptor(descriptor_);
  }
  Descriptor(Descriptor&& o) noexcept : descriptor_(std::exchange(o.descriptor_, nullptr)) {}
  Descriptor& operator=(Descriptor&& o) noexcept {
    std::swap(descriptor_, o.descriptor_);
    return *this;
  }

  explicit operator bool() const { return descriptor_ != nullptr; }
  cudnnBackendDescriptor_t get() const { return descriptor_; }

  template <class T>
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T* values, int64_t count) {
    require(cudnnBackendSetAttribute(descriptor_, name, type, count, values), "cudnnBackendSetAttribute");
  }
  template <class T>
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, T value) {
    set(name, type, &value, 1);
  }
  void set(cudnnBackendAttributeName_t name, std::initializer_list<int64_t> values) {
    set(name, CUDNN_TYPE_INT64, values.begin(), static_cast<int64_t>(values.size()));
  }
  void set(cudnnBackendAttributeName_t name, const Descriptor& value) {
    set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, value.get());
  }

  /** How many values there were; at most `most` are written. */
  template <class T>
  int64_t get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, T* values, int64_t most) const {
    int64_t count = 0;
    require(cudnnBackendGetAttribute(descriptor_, name, type, most, &count, values), "cudnnBackendGetAttribute");
    return count;
  }
  int64_t integer(cudnnBackendAttributeName_t name) const {
    int64_t value = 0;
    get(name, CUDNN_TYPE_INT64, &value, 1);
    return value;
  }

  cudnnStatus_t tryFinalize() { return cudnnBackendFinalize(descriptor_); }
  /** @param what is made, for messages */
  void finalize(const char* what) {
    if (const cudnnStatus_t status = tryFinalize(); status != CUDNN_STATUS_SUCCESS) {
      throw Refusal(status, std::string("cudnnBackendFinalize (") + what + ")");
    }
  }

 private:
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

}  // namespace fovea::cuda::graph
