#pragma once

#include <string>
#include <unordered_map>

namespace fovea::cuda::graph {

/**
 * Which plan was chosen for a convolution, as cuDNN's text, remembered in memory and in a file: a process chooses as
 * the one before did, and times nothing a second time. The file is one line a choice ("key<TAB>checksum<TAB>plan"),
 * appended whole; of two lines for a key the last counts. Lines that are not whole are passed over, and a file that
 * cannot be read or written is done without. Used on the engine thread.
 */
class PlanCache {
 public:
  /**
   * @param folder where the file is; empty for none
   * @param device what choices depend on besides the key: device, versions, policy
   */
  PlanCache(const std::string& folder, const std::string& device);

  /** The plan's text, or null. */
  const std::string* find(const std::string& key) const;
  void remember(const std::string& key, const std::string& plan);
  /** The plan does not work here and now: forgotten for this process. */
  void forget(const std::string& key) { plans_.erase(key); }

 private:
  void load();

  std::string path_;
  std::unordered_map<std::string, std::string> plans_;
};

}  // namespace fovea::cuda::graph
