#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/elementwise_program.h"
#include "cuda/kernel.h"
#include "cuda/kernels/elementwise.h"

/** @file Elementwise programs as kernels/elementwise.h interprets them, for one set of operands and for groups. */
namespace fovea::cuda {

struct Program {
  std::vector<ElementwiseInput> inputs;
  std::vector<ElementwiseStep> steps;
  std::vector<ElementwiseOutput> outputs;
  int64_t size = 0;
  int slots = 0;
};

/** Checks a program and gives its registers slots. Errors name `kernel`. */
Program compileProgram(const char* kernel, const ElementwiseDesc& d);

/** Arrays one behind the other in the one array that the device holds. */
class Image {
 public:
  /** Adds an array; returns where it is. */
  template <class T>
  size_t add(const std::vector<T>& list) {
    const size_t offset = layout_.take(list.size() * sizeof(T));
    bytes_.resize(layout_.bytes());
    if (!list.empty()) std::memcpy(bytes_.data() + offset, list.data(), list.size() * sizeof(T));
    return offset;
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  Layout layout_;
  std::vector<std::byte> bytes_;
};

/** How many threads a block of an interpreter has, and where its registers are. */
struct Registers {
  unsigned threads;
  size_t sharedBytes;     ///< 0 where they do not fit:
  size_t workspaceBytes;  ///< of one block, then.
};

/** @param slotBytes what a slot takes of each thread */
Registers registersFor(const Context& context, size_t slotBytes, int slots);

}  // namespace fovea::cuda
