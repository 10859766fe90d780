#include "cuda/kernels/batch_norm.h"
#include "cuda/kernels/launch.cuh"

namespace fovea::cuda {
FOVEA_BATCH_NORM_KERNELS(FOVEA_INSTANTIATE)
}  // namespace fovea::cuda
