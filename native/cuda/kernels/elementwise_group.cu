#include "cuda/kernels/elementwise_group.h"
#include "cuda/kernels/launch.cuh"

namespace fovea::cuda {
FOVEA_ELEMENTWISE_GROUP_KERNELS(FOVEA_INSTANTIATE)
}  // namespace fovea::cuda
