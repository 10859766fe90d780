#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/layout.h"

namespace fovea::cuda {
FOVEA_LAYOUT_KERNELS(FOVEA_INSTANTIATE)
}  // namespace fovea::cuda
