#include "cuda/kernels/launch.cuh"
#include "cuda/kernels/softmax.h"

namespace fovea::cuda {
FOVEA_SOFTMAX_KERNELS(FOVEA_INSTANTIATE)
}  // namespace fovea::cuda
