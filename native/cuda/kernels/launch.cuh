#pragma once

#include "cuda/kernels/block.h"
#include "cuda/kernels/launch.h"

namespace fovea::cuda {

/** The one kernel template; its name carries the functor, which is how the emulator finds the host body. */
template <class Kernel>
__global__ void entry(const typename Kernel::Args args, FaultWord* halt) {
  if (halted<Kernel>(halt, args)) return;
  DeviceBlock block{halt};
  Kernel{}(block, args);
}

// Through cudaLaunchKernel rather than <<<>>>, whose stub drops the status.
template <class Kernel>
cudaError_t launch(cudaStream_t stream, const Shape& shape, const typename Kernel::Args& args, FaultWord* halt) {
  void* arguments[] = {const_cast<typename Kernel::Args*>(&args), &halt};
  return cudaLaunchKernel(reinterpret_cast<const void*>(&entry<Kernel>), dim3(shape.blocks), dim3(shape.threads),
                          arguments, shape.sharedBytes, stream);
}

#define FOVEA_INSTANTIATE(...) \
  template cudaError_t launch<__VA_ARGS__>(cudaStream_t, const Shape&, const __VA_ARGS__::Args&, FaultWord*);

}  // namespace fovea::cuda
