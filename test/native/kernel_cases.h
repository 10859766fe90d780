#pragma once

#include <random>
#include <string>
#include <vector>

#include "plan/plan_desc.h"

namespace fovea::test {

/** One call of one kernel, with random attributes and shapes that fit. */
struct KernelCase {
  std::string kernel;
  Attributes attributes;
  std::vector<TensorDesc> inputs, outputs;
  int64_t indexBound = 0;  ///< int32 inputs hold 0 .. indexBound-1.
};

/** A random number between `least` and `most`. */
int64_t pick(std::mt19937& random, int64_t least, int64_t most);

/** A random case of the kernel; odd sizes, empty batches, single elements and vector tails all come up. */
KernelCase randomCase(const std::string& kernel, std::mt19937& random);

/** A random case with a dimension, the rank or the dtype of one operand changed: most of them do not fit. */
KernelCase spoiledCase(const std::string& kernel, std::mt19937& random);

}  // namespace fovea::test
