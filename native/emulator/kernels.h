#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <string>

#include "cuda/kernels/block.h"

namespace fovea::emulator {

/** The host body of one kernel. */
struct HostKernel {
  size_t argsBytes;
  void (*run)(unsigned blocks, unsigned threads, size_t sharedBytes, const void* args, cuda::FaultWord* halt);
};

/** By the functor's name, "fovea::cuda::Scale<float>"; null when all.h does not list it. */
const HostKernel* findHostKernel(const std::string& functor);

/** "fovea::cuda::Scale<float>" of the mangled name of `entry<Scale<float>>`; empty for other functions. */
std::string functorOf(const std::string& mangled);

}  // namespace fovea::emulator
