#include "cuda/options.h"

#include <cstdlib>
#include <limits>
#include <string>

#include "core/error.h"

namespace fovea::cuda {
namespace {

bool flag(const char* name, bool otherwise) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return otherwise;
  const std::string text = value;
  if (text == "1" || text == "true") return true;
  if (text == "0" || text == "false") return false;
  throw Error("ERR_ARGUMENT", std::string(name) + ": expected 0 or 1, received '" + text + "'");
}

size_t bytes(const char* name, size_t otherwise) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return otherwise;
  char* end = nullptr;
  const double number = std::strtod(value, &end);
  const std::string suffix = end;
  double unit = 0;
  if (suffix.empty() || suffix == "B") unit = 1;
  if (suffix == "K" || suffix == "KB" || suffix == "KiB") unit = 1024.0;
  if (suffix == "M" || suffix == "MB" || suffix == "MiB") unit = 1024.0 * 1024;
  if (suffix == "G" || suffix == "GB" || suffix == "GiB") unit = 1024.0 * 1024 * 1024;
  if (end == value || unit == 0 || !(number >= 0) || number * unit > 1e15) {
    throw Error(
        "ERR_ARGUMENT",
        std::string(name) + ": expected a size such as 8G, 512M or a number of bytes, received '" + value + "'");
  }
  return static_cast<size_t>(number * unit);
}

}  // namespace

Options Options::fromEnvironment() {
  Options o;
  o.tf32 = flag("FOVEA_CUDA_TF32", o.tf32);
  o.deterministic = flag("FOVEA_CUDA_DETERMINISTIC", o.deterministic);
  o.autotune = flag("FOVEA_CUDA_AUTOTUNE", o.autotune);
  o.graphs = flag("FOVEA_CUDA_GRAPHS", o.graphs);
  o.memoryLimit = bytes("FOVEA_CUDA_MEMORY_LIMIT", o.memoryLimit);
  o.workspaceLimit = bytes("FOVEA_CUDA_WORKSPACE_LIMIT", o.workspaceLimit);
  return o;
}

}  // namespace fovea::cuda
