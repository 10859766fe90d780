#include "plan/recordings.h"

#include <algorithm>
#include <utility>

namespace fovea {
namespace {

constexpr size_t kMost = 8;
/** After so many recordings that did not work, no more are tried. */
constexpr int kMostFailures = 2;

}  // namespace

bool Recordings::givenUp() const { return failures_ >= kMostFailures; }

void Recordings::run(Key key, const std::function<void(bool recording)>& launch) {
  if (givenUp()) {
    launch(false);
    return;
  }
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
  if (found == entries_.end()) {
    // A first run: libraries load what they need, kernels settle on their implementations.
    launch(false);
    if (entries_.size() >= kMost) entries_.pop_back();
    entries_.push_front({std::move(key), nullptr});
    return;
  }
  entries_.splice(entries_.begin(), entries_, found);
  Entry& entry = entries_.front();
  if (!entry.recording) {
    entry.recording = record_([&] { launch(true); });
    if (!entry.recording) {
      ++failures_;
      launch(false);
      return;
    }
  }
  if (entry.recording->replay()) return;
  entries_.pop_front();
  ++failures_;
  launch(false);
}

}  // namespace fovea
