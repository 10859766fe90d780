#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fovea::cpu {

/**
 * Which implementation was fastest for a shape, remembered in memory and in a file, so that a process chooses as the
 * one before did: the same sums in the same order, bit for bit, and no timing a second time.
 *
 * The file is one line a shape ("key<TAB>name"), appended whole; of two lines for a key the first counts. A file that
 * cannot be read or written is done without. Used on the engine thread only.
 */
class Winners {
 public:
  /** @param device what the choice depends on besides the key: processor, library version, threads. */
  explicit Winners(const std::string& device);

  /** The name remembered for a shape. The first call reads the file. */
  std::optional<std::string_view> find(const std::string& key);
  void remember(const std::string& key, const std::string& name);

 private:
  void read();
  /** Takes lines over; those whose key is known already change nothing. */
  void add(std::string lines);

  std::string path_;
  bool read_ = false;
  std::deque<std::string> texts_;  ///< What the names lie in.
  std::unordered_map<std::string_view, std::string_view> names_;
};

}  // namespace fovea::cpu
