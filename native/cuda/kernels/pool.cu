#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/pool.h"

namespace fovea::cuda {
FOVEA_POOL_KERNELS(FOVEA_INSTANTIATE)
}  // namespace fovea::cuda
