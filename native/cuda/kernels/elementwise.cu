#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/launch.cuh"

namespace fovea::cuda {
FOVEA_ELEMENTWISE_KERNELS(FOVEA_INSTANTIATE)
}  // namespace fovea::cuda
