#include "plan/cuda_plugin.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/plugin.h"
#include "plan/cuda_libraries.h"

namespace fovea {
namespace {

/** One plugin for each major version of CUDA, the newest first. */
constexpr int kMajors[] = {13, 12};

/** One of them is there where a driver has found a device: Linux, WSL, Jetson. */
constexpr const char* kDeviceFiles[] = {"/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/nvhost-gpu", "/dev/nvgpu"};

const char* const kLibrariesRemedy =
    "Install the CUDA toolkit's libraries and cuDNN 9 (npm run cuda:sdk fetches cuBLAS and cuDNN), or set "
    "FOVEA_CUDA_PATH to the folders that have them";

/** The folder lib/backends/native/load.ts names while it loads the addon; empty for none. */
const std::string kTuningFolder = [] {
  const char* folder = std::getenv("FOVEA_TUNING");
  return std::string(folder == nullptr ? "" : folder);
}();

/** Why there is no plugin to ask, and what helps. */
struct Failure {
  std::string reason, remedy;
};

bool anyDeviceFile() {
  for (const char* file : kDeviceFiles) {
    if (access(file, F_OK) == 0) return true;
  }
  return false;
}

std::string addonFolder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&discoverCuda), &info) == 0 || info.dli_fname == nullptr) return ".";
  char* whole = realpath(info.dli_fname, nullptr);
  std::string path = whole == nullptr ? info.dli_fname : whole;
  std::free(whole);
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

/** Loads the libraries of that major version and the plugin at `path`; the plugin, or a failure. */
const CudaPlugin* loadPlugin(const std::string& path, const std::string& folder, int major, Failure& failure) {
  const std::vector<std::string> folders = cudaFolders(CudaRoots::fromEnvironment(folder), major);
  const std::string n = std::to_string(major);
  // Each before those that need it.
  for (const std::string& name :
       {"libcudart.so." + n, "libcublasLt.so." + n, "libcublas.so." + n, std::string("libcudnn.so.9")}) {
    failure.reason = preload(name, folders);
    if (!failure.reason.empty()) {
      failure.remedy = kLibrariesRemedy;
      return nullptr;
    }
  }
  // Everything is resolved now: what is missing shows here and not in the middle of a training step.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* said = dlerror();
    failure = {std::string("the plugin does not load: ") + (said == nullptr ? path.c_str() : said), kLibrariesRemedy};
    return nullptr;
  }
  const auto entry = reinterpret_cast<CudaPluginEntry>(dlsym(library, kPluginEntry));
  const CudaPlugin* plugin = entry == nullptr ? nullptr : entry();
  if (plugin == nullptr || plugin->abi != kPluginAbi || std::strcmp(plugin->compiler, kPluginCompiler) != 0) {
    failure.reason =
        path + (plugin == nullptr
                    ? std::string(" is no plugin of Fovea")
                    : " is of another build: expected interface " + std::to_string(kPluginAbi) + " by " +
                          kPluginCompiler + ", received " + std::to_string(plugin->abi) + " by " + plugin->compiler);
    failure.remedy = "Build both again: npm run build:native";
    return nullptr;
  }
  return plugin;
}

/** What helps where one device of several cannot be used. */
const char* remedyFor(const std::string& code) {
  if (code == "ERR_UNSUPPORTED") return "Use a device of compute capability 7.5 (Turing) or later";
  if (code == "ERR_ARGUMENT") return "Correct that environment variable: see docs/cuda.md";
  return "Look whether nvidia-smi lists the device without errors, and start the process again";
}

void addDevices(const CudaPlugin& plugin, CudaDevices& devices) {
  const PluginProbe probe = plugin.probe();
  if (probe.devices == 0) devices.missing.push_back({"cuda", probe.reason, probe.remedy});
  for (int i = 0; i < probe.devices; ++i) {
    try {
      devices.present.push_back(plugin.make(i, {kTuningFolder}));
    } catch (const Error& error) {
      devices.missing.push_back({"cuda:" + std::to_string(i), error.what(), remedyFor(error.code())});
    } catch (const std::exception& error) {
      devices.missing.push_back({"cuda:" + std::to_string(i), error.what(), "See docs/cuda.md"});
    }
  }
}

CudaDevices discover() {
  CudaDevices devices;
  const auto missing = [&](std::string reason, std::string remedy) {
    devices.missing.push_back({"cuda", std::move(reason), std::move(remedy)});
  };
  const char* chosen = std::getenv("FOVEA_CUDA");
  const std::string choice = chosen == nullptr ? "" : chosen;
  if (choice == "0") {
    missing("FOVEA_CUDA is 0", "Unset FOVEA_CUDA");
    return devices;
  }
  if (choice != "1" && !anyDeviceFile()) {
    std::string files;
    for (const char* file : kDeviceFiles) files.append(files.empty() ? "" : ", ").append(file);
    missing("no NVIDIA device or driver: none of " + files + " is there",
            "Install NVIDIA's driver (in a container: start it with access to the GPU), or set FOVEA_CUDA=1 to look "
            "even so");
    return devices;
  }

  const std::string folder = addonFolder();
  std::string looked, reasons, remedy;
  for (const int major : kMajors) {
    const std::string path = folder + "/fovea_cuda" + std::to_string(major) + ".so";
    looked += (looked.empty() ? "" : ", ") + path;
    Failure failure{"there is no " + path, ""};
    if (access(path.c_str(), F_OK) == 0) {
      if (const CudaPlugin* plugin = loadPlugin(path, folder, major, failure)) {
        addDevices(*plugin, devices);
        return devices;
      }
      if (remedy.empty()) remedy = failure.remedy;
    }
    reasons += (reasons.empty() ? "for CUDA " : "; for CUDA ") + std::to_string(major) + ": " + failure.reason;
  }
  if (remedy.empty()) {
    missing("the cuda plugin was not built: there is no " + looked,
            "With the CUDA toolkit 12 or 13 installed: npm run cuda:sdk && npm run build:native");
  } else {
    missing(reasons, remedy);
  }
  return devices;
}

}  // namespace

CudaDevices discoverCuda() {
  try {
    return discover();
  } catch (const std::exception& error) {
    CudaDevices none;
    none.missing.push_back({"cuda", error.what(), "See docs/cuda.md"});
    return none;
  }
}

}  // namespace fovea
