#pragma once

#include <cudnn.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fovea::emulator {

/** A status with the reason that cudnnGetLastErrorString gives. */
struct Failure {
  cudnnStatus_t status;
  std::string reason;
};

[[noreturn]] inline void fail(cudnnStatus_t status, std::string reason) { throw Failure{status, std::move(reason)}; }
[[noreturn]] inline void badParameter(std::string reason) { fail(CUDNN_STATUS_BAD_PARAM, std::move(reason)); }

struct Descriptor;
using DescriptorPtr = std::shared_ptr<Descriptor>;

/** One set attribute: elements as bytes, or descriptors. */
struct Attribute {
  cudnnBackendAttributeType_t type;
  int64_t count = 0;
  std::vector<char> bytes;
  std::vector<DescriptorPtr> descriptors;
};

/** What a backend descriptor is: its attributes, and what finalizing found out. */
struct Descriptor {
  explicit Descriptor(cudnnBackendDescriptorType_t type) : type(type) {}

  cudnnBackendDescriptorType_t type;
  bool finalized = false;
  std::map<int, Attribute> attributes;
  std::vector<DescriptorPtr> configs;  ///< Of heuristics: the engine configurations.
  int64_t engine = -1;                 ///< Of engines: the global index.
  std::vector<cudnnBackendNumericalNote_t> notes;
  int64_t workspace = 0;      ///< Of engines and plans.
  bool needsRuntime = false;  ///< Of engines: compiled at run time, for which the compiler is missing.
  std::string json;           ///< Of plans and device properties.

  bool has(int name) const { return attributes.contains(name); }
  /** The elements of an attribute; without it, BAD_PARAM. */
  template <class T>
  std::vector<T> list(int name) const {
    const Attribute& a = need(name);
    std::vector<T> values(a.bytes.size() / sizeof(T));
    std::memcpy(values.data(), a.bytes.data(), values.size() * sizeof(T));
    return values;
  }
  template <class T>
  T get(int name) const {
    return list<T>(name).at(0);
  }
  /** A descriptor among the attributes; BAD_PARAM when it is missing or was not finalized. */
  const DescriptorPtr& child(int name) const {
    const DescriptorPtr& d = need(name).descriptors.at(0);
    if (!d->finalized) badParameter("a finalized descriptor as attribute " + std::to_string(name));
    return d;
  }
  const Attribute& need(int name) const {
    const auto found = attributes.find(name);
    if (found == attributes.end()) badParameter("attribute " + std::to_string(name) + " is not set");
    return found->second;
  }
};

/** What `cudnnBackendDescriptor_t` points to. Descriptors that refer to another keep its contents alive. */
struct Handle {
  DescriptorPtr descriptor;
};

/** Checks name and type against what the descriptor has. Throws Failure. */
void setAttribute(Descriptor& d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
                  const void* elements);
void getAttribute(const Descriptor& d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                  int64_t requested, int64_t* count, void* elements);
bool knownType(cudnnBackendDescriptorType_t type);
size_t bytesOf(cudnnBackendAttributeType_t type);

/** The rules of cudnnBackendFinalize. Throws Failure. */
void finalize(Descriptor& d);

/** An engine configuration with its graph as text, and back. `planFromJson` throws Failure for what is none. */
std::string planToJson(const Descriptor& engineConfig);
DescriptorPtr planFromJson(const std::string& json);

/** The engine configurations that the heuristics give for an operation graph. */
std::vector<DescriptorPtr> configurations(const DescriptorPtr& graph, cudnnBackendHeurMode_t mode);

/** One tensor of an operation graph. */
struct TensorView {
  int64_t uid;
  cudnnDataType_t type;
  std::vector<int64_t> dims, strides;
  int64_t alignment;
  bool isVirtual;
  explicit TensorView(const Descriptor& d);
  int64_t size() const;
  size_t bytes() const;
};

/** Runs a graph on device memory, on the calling thread; `pointers` by unique id. `tf32` rounds float inputs. */
void execute(const Descriptor& graph, const std::map<int64_t, void*>& pointers, bool tf32);

/** The tensors of a graph that are memory: what a variant pack has to name. */
std::vector<TensorView> realTensors(const Descriptor& graph);

}  // namespace fovea::emulator
