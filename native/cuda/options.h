#pragma once

#include <cstddef>

namespace fovea::cuda {

/** What the environment says about how a device is to be used. */
struct Options {
  bool tf32 = false;          ///< FOVEA_CUDA_TF32: f32 products and convolutions on tensor cores, 10 bits of mantissa.
  bool deterministic = true;  ///< FOVEA_CUDA_DETERMINISTIC: only algorithms that give the same bits at every run.
  bool autotune = false;      ///< FOVEA_CUDA_AUTOTUNE: convolutions are timed, not guessed.
  bool graphs = true;         ///< FOVEA_CUDA_GRAPHS: whole plans are captured.
  size_t memoryLimit = 0;     ///< FOVEA_CUDA_MEMORY_LIMIT in bytes (suffixes K, M, G); 0: what the device has.
  size_t workspaceLimit = size_t{1} << 30;  ///< FOVEA_CUDA_WORKSPACE_LIMIT: of one convolution.

  /** Reads the environment; throws ERR_ARGUMENT that names the variable. */
  static Options fromEnvironment();
};

}  // namespace fovea::cuda
