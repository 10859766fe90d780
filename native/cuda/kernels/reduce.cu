#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/reduce.h"

namespace fovea::cuda {
FOVEA_REDUCE_KERNELS(FOVEA_INSTANTIATE)
}  // namespace fovea::cuda
