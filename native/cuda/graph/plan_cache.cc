#include "cuda/graph/plan_cache.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>

namespace fovea::cuda::graph {
namespace {

/** Raised when keys change their meaning: older files are left alone. */
constexpr const char* kVersion = "1";
constexpr size_t kMostLines = 100'000, kMostLine = 1 << 16;

/** FNV-1a: a line cut short or damaged must not reach cuDNN's reader. */
std::string checksum(const std::string& text) {
  uint64_t h = 0xcbf29ce484222325u;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  char hex[24];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(h));
  return hex;
}

}  // namespace

PlanCache::PlanCache(const std::string& folder, const std::string& device) {
  if (folder.empty()) return;
  path_ = folder + "/cudnn-plans-" + kVersion + "-" + checksum(device) + ".txt";
  load();
}

void PlanCache::load() {
  std::ifstream file(path_);
  std::string line;
  for (size_t n = 0; n < kMostLines && std::getline(file, line); ++n) {
    if (line.size() > kMostLine) continue;
    const size_t first = line.find('\t'), second = line.find('\t', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string key = line.substr(0, first), plan = line.substr(second + 1);
    if (line.substr(first + 1, second - first - 1) == checksum(key + "\t" + plan)) plans_[key] = plan;
  }
}

const std::string* PlanCache::find(const std::string& key) const {
  const auto found = plans_.find(key);
  return found == plans_.end() ? nullptr : &found->second;
}

void PlanCache::remember(const std::string& key, const std::string& plan) {
  if (plan.empty() || plan.find_first_of("\t\n") != std::string::npos) return;
  plans_[key] = plan;
  if (path_.empty()) return;
  const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    path_.clear();  // Not writable: in memory only from now on.
    return;
  }
  // One write of a whole line: two processes do not mix theirs.
  const std::string line = key + "\t" + checksum(key + "\t" + plan) + "\t" + plan + "\n";
  if (::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) path_.clear();
  ::close(file);
}

}  // namespace fovea::cuda::graph
