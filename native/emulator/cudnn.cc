#include <cudnn.h>

#include <cstdio>
#include <set>

#include "emulator/bridge.h"
#include "emulator/config.h"
#include "emulator/cudnn_descriptor.h"
#include "emulator/faults.h"

/** @file The exported functions of the double of libcudnn. */

using namespace fovea::emulator;  // NOLINT: this file defines the C functions of another library

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace {

std::string& lastMessage() {
  thread_local std::string message;
  return message;
}

/** The frame of every call: injected faults, and failures as statuses. */
template <class Body>
cudnnStatus_t call(const std::string& name, Body body) {
  if (const int code = countCall(name).code) {
    lastMessage() = "injected fault in " + name;
    return static_cast<cudnnStatus_t>(code);
  }
  try {
    body();
    return CUDNN_STATUS_SUCCESS;
  } catch (const Failure& failure) {
    lastMessage() = failure.reason;
    return failure.status;
  } catch (const std::exception& error) {
    lastMessage() = error.what();
    return CUDNN_STATUS_INTERNAL_ERROR;
  }
}

Descriptor& descriptorOf(cudnnBackendDescriptor_t handle) {
  if (!handle) fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "null descriptor");
  return *static_cast<Handle*>(handle)->descriptor;
}

const char* kindOf(const Descriptor& d) {
  switch (d.type) {
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
      return "cudnnBackendFinalize:plan";
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
      return "cudnnBackendFinalize:graph";
    default:
      return "cudnnBackendFinalize";
  }
}

void runPlan(cudnnHandle_t handle, const Descriptor& plan, const Descriptor& pack) {
  if (plan.type != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR || pack.type != CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR) {
    badParameter("a plan and a variant pack");
  }
  if (!plan.finalized || !pack.finalized) fail(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "finalized descriptors");
  if (__cudaEmuState()) fail(CUDNN_STATUS_EXECUTION_FAILED_CUDART, "the device is broken");
  const DescriptorPtr engine = plan.child(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)->child(CUDNN_ATTR_ENGINECFG_ENGINE);
  const DescriptorPtr graph = engine->child(CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
  const auto uids = pack.list<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto data = pack.list<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  std::map<int64_t, void*> pointers;
  for (size_t i = 0; i < uids.size(); ++i) pointers[uids[i]] = data[i];
  bool valid = true;
  for (const TensorView& t : realTensors(*graph)) {
    const auto found = pointers.find(t.uid);
    if (found == pointers.end()) badParameter("a pointer for tensor " + std::to_string(t.uid));
    if (reinterpret_cast<uintptr_t>(found->second) % static_cast<uintptr_t>(t.alignment) != 0) {
      fail(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER, "pointers aligned as their tensors say");
    }
    valid = valid && __cudaEmuIsDevice(found->second, t.bytes());
  }
  if (plan.workspace > 0) {
    void* workspace =
        pack.has(CUDNN_ATTR_VARIANT_PACK_WORKSPACE) ? pack.get<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE) : nullptr;
    if (!workspace) fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "a workspace");
    valid = valid && __cudaEmuIsDevice(workspace, static_cast<size_t>(plan.workspace));
  }
  const std::set<cudnnBackendNumericalNote_t> notes(engine->notes.begin(), engine->notes.end());
  const bool tf32 = notes.contains(CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
  const cudaError_t error = enqueue(handle->stream, [=] {
    if (!valid) return cudaErrorIllegalAddress;  // what a kernel finds out when it runs
    execute(*graph, pointers, tf32);
    return cudaSuccess;
  });
  if (error) fail(CUDNN_STATUS_EXECUTION_FAILED_CUDART, "the stream of the handle");
}

}  // namespace

extern "C" {

size_t cudnnGetVersion() { return config().cudnnVersion; }
size_t cudnnGetCudartVersion() { return 13000; }
size_t cudnnGetMaxDeviceVersion() { return 1210; }
cudnnStatus_t cudnnGraphVersionCheck() { return CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnOpsVersionCheck() { return CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnCnnVersionCheck() { return CUDNN_STATUS_SUCCESS; }

const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
#define FOVEA_NAME(name) \
  case name:             \
    return #name;
    FOVEA_NAME(CUDNN_STATUS_SUCCESS)
    FOVEA_NAME(CUDNN_STATUS_NOT_INITIALIZED)
    FOVEA_NAME(CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH)
    FOVEA_NAME(CUDNN_STATUS_BAD_PARAM)
    FOVEA_NAME(CUDNN_STATUS_BAD_PARAM_NULL_POINTER)
    FOVEA_NAME(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER)
    FOVEA_NAME(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED)
    FOVEA_NAME(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE)
    FOVEA_NAME(CUDNN_STATUS_NOT_SUPPORTED)
    FOVEA_NAME(CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING)
    FOVEA_NAME(CUDNN_STATUS_INTERNAL_ERROR)
    FOVEA_NAME(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED)
    FOVEA_NAME(CUDNN_STATUS_EXECUTION_FAILED)
    FOVEA_NAME(CUDNN_STATUS_EXECUTION_FAILED_CUDART)
#undef FOVEA_NAME
    default:
      return "CUDNN_STATUS (see cudnn_graph.h)";
  }
}

void cudnnGetLastErrorString(char* message, size_t size) {
  if (message && size > 0) std::snprintf(message, size, "%s", lastMessage().c_str());
}

cudnnStatus_t cudnnGetProperty(libraryPropertyType type, int* value) {
  return call("cudnnGetProperty", [&] {
    if (!value) fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "null value");
    const auto version = static_cast<int>(config().cudnnVersion);
    *value = type == MAJOR_VERSION ? version / 10000 : type == MINOR_VERSION ? version / 100 % 100 : version % 100;
  });
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  return call("cudnnCreate", [&] {
    if (!handle) fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "null handle");
    *handle = nullptr;
    if (__cudaEmuState()) fail(CUDNN_STATUS_NOT_INITIALIZED, "no device that works");
    if (__cudaEmuForbidden()) fail(CUDNN_STATUS_NOT_INITIALIZED, "a stream is being captured");
    *handle = new cudnnContext;
    __cudaEmuCount("cudnn handles", 1);
  });
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  return call("cudnnDestroy", [&] {
    if (!handle) return;
    delete handle;
    __cudaEmuCount("cudnn handles", -1);
  });
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  return call("cudnnSetStream", [&] {
    if (!handle) fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "null handle");
    handle->stream = stream;
  });
}

cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t* stream) {
  return call("cudnnGetStream", [&] {
    if (!handle || !stream) fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "null");
    *stream = handle->stream;
  });
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* descriptor) {
  return call("cudnnBackendCreateDescriptor", [&] {
    if (!descriptor) fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "null descriptor");
    if (!knownType(type)) fail(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED, "a descriptor that exists");
    *descriptor = new Handle{std::make_shared<Descriptor>(type)};
    __cudaEmuCount("cudnn descriptors", 1);
  });
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  return call("cudnnBackendDestroyDescriptor", [&] {
    if (!descriptor) fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "null descriptor");
    delete static_cast<Handle*>(descriptor);
    __cudaEmuCount("cudnn descriptors", -1);
  });
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count, const void* elements) {
  return call("cudnnBackendSetAttribute", [&] { setAttribute(descriptorOf(descriptor), name, type, count, elements); });
}

cudnnStatus_t cudnnBackendGetAttribute(const cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t requested, int64_t* count,
                                       void* elements) {
  return call("cudnnBackendGetAttribute",
              [&] { getAttribute(descriptorOf(descriptor), name, type, requested, count, elements); });
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  const std::string name = descriptor ? kindOf(*static_cast<Handle*>(descriptor)->descriptor) : "cudnnBackendFinalize";
  return call(name, [&] { finalize(descriptorOf(descriptor)); });
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
  return call("cudnnBackendExecute", [&] {
    if (!handle || !plan || !pack) badParameter("null");
    runPlan(handle, descriptorOf(plan), descriptorOf(pack));
  });
}

}  // extern "C"
