#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>

/**
 * @file
 * What the doubles of cuDNN and cuBLAS need of the emulated runtime, which they are linked to. The names begin with
 * __cuda so that the version script of libcudart exports them.
 */
extern "C" {

/** Puts work on a stream, or into its capture. */
cudaError_t __cudaEmuEnqueue(cudaStream_t stream, const std::function<cudaError_t()>* work);
/** Whether calls can succeed at all: no driver and no device, or a sticky error, give that error. */
cudaError_t __cudaEmuState();
/** Whether [pointer, pointer + bytes) lies in one live block of device memory. */
bool __cudaEmuIsDevice(const void* pointer, size_t bytes);
/** Changes the count of live things of a kind in the books. */
void __cudaEmuCount(const char* kind, int change);
/** Whether a capture forbids the calling thread to wait or to allocate; if so the capture is spoilt. */
bool __cudaEmuForbidden();
}

namespace fovea::emulator {

inline cudaError_t enqueue(cudaStream_t stream, const std::function<cudaError_t()>& work) {
  return __cudaEmuEnqueue(stream, &work);
}

}  // namespace fovea::emulator
