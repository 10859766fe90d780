#pragma once

#include <cstddef>

namespace fovea {

/**
 * Bytes of host memory that can still be had, as the kernel and the control group say; SIZE_MAX when they say nothing.
 * Linux grants more than it has and kills the process that then uses it, so large allocations ask first.
 */
size_t availableHostBytes();

}  // namespace fovea
