#pragma once

#include <string>

namespace fovea {

/** A device that was looked for and is not there. */
struct MissingDevice {
  std::string name, reason, remedy;
};

}  // namespace fovea
