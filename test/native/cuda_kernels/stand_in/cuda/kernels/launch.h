#pragma once

#include <cstddef>
#include <cstring>
#include <memory>

#include "cuda/kernels/block.h"

/** @file Takes the place of the header of that name: kernels run at once, on the host, and no CUDA header is needed. */
using cudaError_t = int;
using cudaStream_t = void*;

inline cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t) {
  std::memset(to, value, bytes);
  return 0;
}

namespace fovea::cuda {

struct Shape {
  unsigned blocks, threads;
  size_t sharedBytes = 0;
};

/** Shared memory is exactly as large as asked for, and each block finds other garbage in it. */
template <class Kernel>
cudaError_t launch(cudaStream_t, const Shape& shape, const typename Kernel::Args& args, FaultWord* halt) {
  if (halted<Kernel>(halt, args)) return 0;
  constexpr std::align_val_t kAlignment{16};
  const auto release = [&](void* memory) { ::operator delete(memory, kAlignment); };
  const std::unique_ptr<void, decltype(release)> shared(::operator new(shape.sharedBytes, kAlignment), release);
  for (unsigned b = 0; b < shape.blocks; ++b) {
    std::memset(shared.get(), b % 2 == 0 ? 0xff : 0x5a, shape.sharedBytes);
    HostBlock block{static_cast<int>(b), static_cast<int>(shape.blocks), static_cast<int>(shape.threads),
                    static_cast<unsigned char*>(shared.get()), halt};
    Kernel{}(block, args);
  }
  return 0;
}

}  // namespace fovea::cuda
