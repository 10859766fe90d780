#pragma once

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/layout.h"
#include "cuda/kernels/reduce.h"

/** Every kernel there is: the emulator's table of host bodies. */
#define FOVEA_CUDA_KERNELS(X)  \
  FOVEA_ELEMENTWISE_KERNELS(X) \
  FOVEA_LAYOUT_KERNELS(X)      \
  FOVEA_REDUCE_KERNELS(X)
