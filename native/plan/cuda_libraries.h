#pragma once

#include <string>
#include <vector>

/** @file Where NVIDIA's libraries are looked for, and how they are loaded ahead of the plugin that needs them. */
namespace fovea {

/** What the search starts from; empty where there is none. Lists are separated by colons. */
struct CudaRoots {
  std::string foveaCudaPath;         ///< FOVEA_CUDA_PATH: folders of the user's choice, before all others.
  std::string cudaPath, cudaHome;    ///< CUDA_PATH, CUDA_HOME.
  std::string virtualEnv, conda;     ///< VIRTUAL_ENV, CONDA_PREFIX: where pip's wheels are.
  std::string package;               ///< The folder with a .cuda, which `npm run cuda:sdk` makes.
  std::string local = "/usr/local";  ///< Where toolkits install themselves as cuda, cuda-13.0, ...

  /** From the environment, and the folders above the addon. */
  static CudaRoots fromEnvironment(const std::string& addonFolder);
};

/**
 * The folders in the order they are tried. The empty one stands for the loader's own search: LD_LIBRARY_PATH and the
 * system's folders.
 */
std::vector<std::string> cudaFolders(const CudaRoots& roots, int major);

/**
 * Loads a library by its name from the first folder where that works, so that those linked to that name find it loaded.
 *
 * @return empty, or why not: where it was looked for and what the loader said
 */
std::string preload(const std::string& name, const std::vector<std::string>& folders);

}  // namespace fovea
