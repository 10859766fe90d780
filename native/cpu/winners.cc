#include "cpu/winners.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <utility>

namespace fovea::cpu {
namespace {

/** Raised when candidates, what they mean or how fast they are change: older files are left alone. */
constexpr const char* kVersion = "6";
constexpr size_t kMostBytes = size_t{16} << 20;  ///< Of a file: some hundred thousand shapes.
constexpr size_t kAtOnce = size_t{64} << 10;

/** The folder lib/backends/native/load.ts names while it loads the addon; empty for none. */
std::string folderAtLoad() {
  const char* folder = std::getenv("FOVEA_TUNING");
  return folder == nullptr ? "" : folder;
}
const std::string kFolder = folderAtLoad();

}  // namespace

Winners::Winners(const std::string& device) {
  if (kFolder.empty()) return;
  path_ = kFolder + "/convolutions-" + kVersion + "-" + std::to_string(std::hash<std::string>{}(device)) + ".txt";
}

std::optional<std::string_view> Winners::find(const std::string& key) {
  if (!std::exchange(read_, true)) read();
  const auto found = names_.find(key);
  return found == names_.end() ? std::nullopt : std::optional(found->second);
}

void Winners::read() {
  std::ifstream file(path_, std::ios::binary);
  std::string text;
  for (size_t size = 0; size < kMostBytes && file; size += static_cast<size_t>(file.gcount())) {
    text.resize(size + kAtOnce);
    file.read(text.data() + size, kAtOnce);
    text.resize(size + static_cast<size_t>(file.gcount()));
  }
  add(std::move(text));
}

void Winners::add(std::string lines) {
  std::string_view rest = texts_.emplace_back(std::move(lines));
  for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
    const std::string_view line = rest.substr(0, end);
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos || tab == 0 || tab + 1 == line.size()) continue;
    names_.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
}

void Winners::remember(const std::string& key, const std::string& name) {
  // One write of a whole line: two processes do not mix theirs.
  const std::string line = key + "\t" + name + "\n";
  names_.erase(key);  // Of a candidate that there is no more.
  add(line);
  if (path_.empty()) return;
  const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    path_.clear();  // Not writable: in memory only from now on.
    return;
  }
  if (::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) path_.clear();
  ::close(file);
}

}  // namespace fovea::cpu
