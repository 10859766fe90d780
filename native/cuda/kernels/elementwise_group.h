#pragma once

#include <cstdint>

#include "cuda/kernels/elementwise.h"

/**
 * @file
 * A program over many groups of operands in one launch. The elements of all groups are cut into chunks that lie in one
 * group each; a block takes a chunk, finds the group by bisection, and goes on to the chunk that is a grid's length
 * away. Pointers travel with the launch, as they may be others at the next one; sizes and the program lie on the
 * device.
 */
namespace fovea::cuda {

inline constexpr int kGroupPointers = 480;  ///< Of a launch, whose arguments are at most 4,000 bytes.
inline constexpr int kGroupPasses = 4;      ///< How often each thread of a block takes four elements of a chunk.

/** A group of a launch. */
struct ElementwiseGroupEntry {
  int64_t n;           ///< Elements.
  int64_t firstChunk;  ///< How many chunks the groups before it have.
  int64_t inputs;      ///< Which of the lists of inputs says how it is read.
};

template <class T>
struct ElementwiseGroup {
  struct Args {
    ProgramView program;
    const ElementwiseInput* inputs;        ///< Lists of program.inputs each.
    const ElementwiseGroupEntry* entries;  ///< One a group.
    int groups;
    int shared, own;  ///< Inputs of all groups, and of each.
    bool aligned;     ///< All pointers, to 16 bytes.
    int64_t chunks;
    T* registers;  ///< As those of Elementwise.
    /** The shared inputs, then inputs and outputs of each group. */
    void* pointers[kGroupPointers];
  };

  /** The last group that starts at the chunk or before; those without elements have none. */
  FOVEA_HD static int groupOf(const Args& args, int64_t chunk) {
    int low = 0, high = args.groups;
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      if (args.entries[middle].firstChunk <= chunk) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      T* base = elementwise::registersOf(block, args.registers, args.program.slots);
      const int64_t threads = block.threads();
      const auto slot = [&](int s) { return reinterpret_cast<Pack<T>*>(base + (s * threads + thread) * kLanes); };
      for (int64_t chunk = block.index(); chunk < args.chunks; chunk += block.count()) {
        const int g = groupOf(args, chunk);
        const ElementwiseGroupEntry entry = args.entries[g];
        const ElementwiseInput* inputs = args.inputs + entry.inputs * args.program.inputs;
        void* const* own = args.pointers + args.shared + g * (args.own + args.program.outputs);
        const auto in = [&](int k) { return k < args.shared ? args.pointers[k] : own[k - args.shared]; };
        const auto out = [&](int k) { return own[args.own + k]; };
        const int64_t first = ((chunk - entry.firstChunk) * kGroupPasses * threads + thread) * kLanes;
        for (int pass = 0; pass < kGroupPasses; ++pass) {
          const int64_t i = first + pass * threads * kLanes;
          if (i >= entry.n) break;
          elementwise::interpret<T>(args.program, inputs, slot, in, out, i, entry.n, args.aligned);
        }
      }
    });
  }
};

#define FOVEA_ELEMENTWISE_GROUP_KERNELS(X) \
  X(ElementwiseGroup<float>)               \
  X(ElementwiseGroup<int32_t>)

}  // namespace fovea::cuda
