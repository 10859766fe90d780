#include "cuda/kernels/gather.h"
#include "cuda/kernels/launch.cuh"

namespace fovea::cuda {
FOVEA_GATHER_KERNELS(FOVEA_INSTANTIATE)
}  // namespace fovea::cuda
