#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

#include "cuda/kernels/block.h"

namespace fovea::cuda {

/** Grid, block and shared memory of one launch; one-dimensional. */
struct Shape {
  unsigned blocks, threads;
  size_t sharedBytes = 0;
};

/**
 * Enqueues `Kernel` on `stream`. Defined in launch.cuh for nvcc; every kernel is instantiated in a .cu file of this
 * folder by FOVEA_INSTANTIATE, from the family's list in its header.
 *
 * @param halt the context's halt word, see `halted`; may be null
 * @return what cudaLaunchKernel says; the caller checks it
 */
template <class Kernel>
cudaError_t launch(cudaStream_t stream, const Shape& shape, const typename Kernel::Args& args, FaultWord* halt);

}  // namespace fovea::cuda
