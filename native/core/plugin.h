#pragma once

#include <cstdint>
#include <string>

#include "core/backend.h"

/** @file The border between the addon and the cuda plugin, which is found at run time. */
namespace fovea {

/** Both sides compare it: raised whenever a header of core/ changes what it says. */
inline constexpr uint32_t kPluginAbi = 3;

/** What the plugin found. */
struct PluginProbe {
  int devices = 0;
  std::string reason, remedy;  ///< Why there is none.
  std::string versions;        ///< "CUDA 13.0, cuDNN 9.24.0", also where there is no device.
};

/** What the addon tells the plugin. */
struct PluginSettings {
  std::string tuningFolder;  ///< Where choices are remembered; empty for nowhere.
};

/** What `fovea_cuda_plugin` gives. Made by the compiler that makes the addon, so C++ types and exceptions may cross. */
struct CudaPlugin {
  uint32_t abi;
  const char* compiler;  ///< Must be the addon's.
  /** Asks the driver; never throws. */
  PluginProbe (*probe)();
  /** Makes the backend of one device; throws fovea::Error. The first call's settings count. */
  std::unique_ptr<Backend> (*make)(int ordinal, const PluginSettings& settings);
};

inline constexpr const char* kPluginEntry = "fovea_cuda_plugin";
inline constexpr const char* kPluginCompiler = __VERSION__;
using CudaPluginEntry = const CudaPlugin* (*)();

}  // namespace fovea
