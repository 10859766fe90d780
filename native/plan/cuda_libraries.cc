#include "plan/cuda_libraries.h"

#include <dlfcn.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace fovea {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string parent(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

/** The folders in the list that are not yet in it and, but for the loader's own, exist. */
class Folders {
 public:
  void add(const std::string& folder) {
    if (std::find(list.begin(), list.end(), folder) != list.end()) return;
    if (folder.empty() || access(folder.c_str(), X_OK) == 0) list.push_back(folder);
  }
  /** Those that a pattern of the shell means, newest version first. */
  void addMatches(const std::string& pattern) {
    glob_t found{};
    if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
      for (size_t i = found.gl_pathc; i > 0; --i) add(found.gl_pathv[i - 1]);
    }
    globfree(&found);
  }
  void addToolkit(const std::string& root) {
    if (root.empty()) return;
    for (const char* sub : {"/lib64", "/lib", "/targets/x86_64-linux/lib", "/targets/sbsa-linux/lib"}) add(root + sub);
  }
  /** Where wheels lie in a folder of Python packages: those of CUDA 13 together, those of 12 one by one. */
  void addWheels(const std::string& packages, int major) {
    for (const std::string& sub : {"cu" + std::to_string(major), std::string("cuda_runtime"), std::string("cublas"),
                                   std::string("cuda_nvrtc"), std::string("cudnn")}) {
      addMatches(packages + "/nvidia/" + sub + "/lib");
    }
  }

  std::vector<std::string> list;
};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t from = 0; from <= text.size();) {
    const size_t to = std::min(text.find(':', from), text.size());
    if (to > from) parts.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return parts;
}

}  // namespace

CudaRoots CudaRoots::fromEnvironment(const std::string& addonFolder) {
  CudaRoots roots;
  roots.foveaCudaPath = variable("FOVEA_CUDA_PATH");
  roots.cudaPath = variable("CUDA_PATH");
  roots.cudaHome = variable("CUDA_HOME");
  roots.virtualEnv = variable("VIRTUAL_ENV");
  roots.conda = variable("CONDA_PREFIX");
  // build/Release in a checkout, deeper elsewhere.
  constexpr int kMostLevels = 4;
  std::string folder = addonFolder;
  for (int level = 0; level < kMostLevels && roots.package.empty(); ++level, folder = parent(folder)) {
    if (access((folder + "/.cuda/nvidia").c_str(), X_OK) == 0) roots.package = folder;
  }
  return roots;
}

std::vector<std::string> cudaFolders(const CudaRoots& roots, int major) {
  Folders folders;
  for (const std::string& root : split(roots.foveaCudaPath)) {
    folders.add(root);
    folders.addToolkit(root);
    folders.addWheels(root, major);
  }
  folders.add("");
  folders.addToolkit(roots.cudaPath);
  folders.addToolkit(roots.cudaHome);
  if (!roots.local.empty()) {
    folders.addMatches(roots.local + "/cuda-" + std::to_string(major) + "*/lib64");
    folders.addToolkit(roots.local + "/cuda");
  }
  if (!roots.package.empty()) folders.addWheels(roots.package + "/.cuda", major);
  for (const std::string& prefix : {roots.virtualEnv, roots.conda}) {
    if (!prefix.empty()) folders.addWheels(prefix + "/lib/python3*/site-packages", major);
  }
  if (!roots.conda.empty()) folders.add(roots.conda + "/lib");
  return folders.list;
}

std::string preload(const std::string& name, const std::vector<std::string>& folders) {
  std::string looked, failures;
  for (const std::string& folder : folders) {
    looked += looked.empty() ? "" : ", ";
    looked += folder.empty() ? "the loader's own folders" : folder;
    const std::string path = folder.empty() ? name : folder + "/" + name;
    if (!folder.empty() && access(path.c_str(), F_OK) != 0) continue;
    if (dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE) != nullptr) return "";
    const char* said = dlerror();
    const std::string error = said == nullptr ? "unknown error" : said;
    // Not to be found at all is no more than the list of folders says.
    if (folder.empty() && error.rfind(name + ": cannot open shared object file", 0) == 0) continue;
    failures += (failures.empty() ? "" : "; ") + error;
  }
  if (!failures.empty()) return name + " does not load: " + failures;
  return name + " was not found (looked in " + looked + ")";
}

}  // namespace fovea
