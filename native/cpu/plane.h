#pragma once

#include <cstdint>

namespace fovea::cpu {

/** One image as it lies in memory: [height, width, channels]. */
struct Plane {
  int64_t height, width, channels;
  int64_t size() const { return height * width * channels; }
};

}  // namespace fovea::cpu
