#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/random.h"

namespace fovea::cuda {
FOVEA_RANDOM_KERNELS(FOVEA_INSTANTIATE)
}  // namespace fovea::cuda
