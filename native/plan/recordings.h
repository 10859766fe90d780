#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "core/backend.h"

namespace fovea {

/**
 * The recorded runs of one plan. A recording holds for the addresses it was made with, which repeat from step to step:
 * variables and the arena stay, and the allocator gives a new batch the memory of an old one. A run whose addresses are
 * seen for the second time is recorded; the least recently used recordings go.
 */
class Recordings {
 public:
  /** What a recording depends on: addresses, and versions where a kernel looks at them. */
  using Key = std::vector<uint64_t>;

  /** Backend::record: records what its argument launches, or gives null. */
  using Record = std::function<std::unique_ptr<Recording>(const std::function<void()>&)>;

  explicit Recordings(Record record) : record_(std::move(record)) {}

  /** Whether recording has been given up. */
  bool givenUp() const;
  /**
   * Runs `launch`: as a recording where there is one or one can be made, else as it is. It may be called twice, the
   * first time `recording`, when it must do nothing but launch. Throws what it throws.
   */
  void run(Key key, const std::function<void(bool recording)>& launch);

 private:
  struct Entry {
    Key key;
    std::unique_ptr<Recording> recording;  ///< Null until the second sight.
  };

  Record record_;
  std::list<Entry> entries_;  ///< The most recently used first.
  int failures_ = 0;
};

}  // namespace fovea
