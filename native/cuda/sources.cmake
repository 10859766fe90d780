# The cuda plugin's sources, relative to native/. The .cc files are C++20 for the host's compiler, the .cu files for nvcc.
set(FOVEA_CUDA_SOURCES
  cuda/allocator.cc
  cuda/backend.cc
  cuda/check.cc
  cuda/context.cc
  cuda/fault_slots.cc
  cuda/options.cc
  cuda/plugin.cc
  cuda/staging.cc
  cuda/unfinished.cc
)
set(FOVEA_CUDA_KERNELS
)
