#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/resize.h"

namespace fovea::cuda {
FOVEA_RESIZE_KERNELS(FOVEA_INSTANTIATE)
}  // namespace fovea::cuda
