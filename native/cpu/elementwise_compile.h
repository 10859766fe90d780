#pragma once

#include <cstdint>
#include <vector>

#include "core/elementwise_program.h"

/** @file Elementwise programs as the interpreter of elementwise.cc runs them. */
namespace fovea::cpu {

enum class Access : uint8_t { kDirect, kConverted, kScalar, kPeriodic, kStrided };

/** How one input is read. */
struct Input {
  Access access = Access::kDirect;
  DType dtype = DType::kFloat32;
  size_t operand = 0;  ///< Which of the kernel's inputs it is.
  int64_t period = 1;  ///< kPeriodic: its size.
  Dims dims, strides;  ///< kStrided: merged output dims with this input's strides.
  int slot = -1;       ///< Scratch register, unless read in place.
  bool once = false;   ///< Filled once a thread, not once a block.
};

struct Step : ProgramStep {
  explicit Step(const ProgramStep& step) : ProgramStep(step) {}
  int slot = -1;         ///< Scratch register, or
  int output = -1;       ///< the output that is written in place.
  bool hoisted = false;  ///< A constant: run once a thread.
};

struct Program {
  bool int32 = false;
  std::vector<Input> inputs;
  std::vector<Step> steps;
  std::vector<int> results;
  std::vector<DType> outputTypes;
  std::vector<bool> stored;  ///< Output j needs a store at the end of the block.
  size_t firstOutput = 0;    ///< Output 0 is this one of the kernel's.
  int64_t size = 0, block = 512;
  int slots = 0, cost = 1;

  /** Floats from one scratch register to the next: not a power of two, which would make them share cache sets. */
  int64_t slotSize() const { return block + 16; }
};

/** Checks a program and gives its registers places. Errors name `kernel`. */
Program compileProgram(const char* kernel, const ElementwiseDesc& d);

}  // namespace fovea::cpu
