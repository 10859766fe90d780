#include "cuda/kernels/epilogue.h"
#include "cuda/kernels/launch.cuh"

namespace fovea::cuda {
FOVEA_EPILOGUE_KERNELS(FOVEA_INSTANTIATE)
}  // namespace fovea::cuda
