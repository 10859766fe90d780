#pragma once

#include "cuda/kernels/batch_norm.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/elementwise_group.h"
#include "cuda/kernels/epilogue.h"
#include "cuda/kernels/gather.h"
#include "cuda/kernels/layout.h"
#include "cuda/kernels/lrn.h"
#include "cuda/kernels/pool.h"
#include "cuda/kernels/random.h"
#include "cuda/kernels/reduce.h"
#include "cuda/kernels/resize.h"
#include "cuda/kernels/softmax.h"

/** Every kernel there is; names are within fovea::cuda. */
#define FOVEA_CUDA_KERNELS(X)        \
  FOVEA_BATCH_NORM_KERNELS(X)        \
  FOVEA_ELEMENTWISE_KERNELS(X)       \
  FOVEA_ELEMENTWISE_GROUP_KERNELS(X) \
  FOVEA_EPILOGUE_KERNELS(X)          \
  FOVEA_GATHER_KERNELS(X)            \
  FOVEA_LAYOUT_KERNELS(X)            \
  FOVEA_LRN_KERNELS(X)               \
  FOVEA_POOL_KERNELS(X)              \
  FOVEA_RANDOM_KERNELS(X)            \
  FOVEA_REDUCE_KERNELS(X)            \
  FOVEA_RESIZE_KERNELS(X)            \
  FOVEA_SOFTMAX_KERNELS(X)
