#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/lrn.h"

namespace fovea::cuda {
FOVEA_LRN_KERNELS(FOVEA_INSTANTIATE)
}  // namespace fovea::cuda
