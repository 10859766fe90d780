#pragma once

#include <memory>
#include <vector>

#include "core/backend.h"
#include "plan/missing_device.h"

namespace fovea {

/** The NVIDIA devices, and why those that are not there are not. */
struct CudaDevices {
  std::vector<std::unique_ptr<Backend>> present;
  std::vector<MissingDevice> missing;
};

/**
 * Loads the cuda plugin and asks it for its devices. Never throws: whatever goes wrong is a MissingDevice. On a machine
 * without an NVIDIA device nothing is loaded at all.
 *
 * FOVEA_CUDA=0 leaves CUDA alone; FOVEA_CUDA=1 loads it even where no device file is to be seen.
 */
CudaDevices discoverCuda();

}  // namespace fovea
