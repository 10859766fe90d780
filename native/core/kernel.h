#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace fovea {

/** Pointers of one launch, in the order of the descriptor's operands. Workspace is 64-byte aligned. */
struct Pointers {
  const void* const* inputs;
  void* const* outputs;
  void* workspace;
  /**
   * For each input, a number that changes with its contents; 0 where nobody keeps count (values in the arena). Null
   * when the launch is not part of a plan.
   */
  const uint64_t* versions = nullptr;
};

/** The queue a kernel is launched on: the engine thread on the CPU, a CUDA stream on a GPU. */
class Stream {
 public:
  virtual ~Stream() = default;
};

/** A prepared kernel: shapes, algorithm and layouts are settled; launching allocates nothing. */
class Kernel {
 public:
  virtual ~Kernel() = default;
  /** Scratch bytes `launch` needs; the plan keeps one workspace for all steps. */
  virtual size_t workspaceBytes() const { return 0; }
  /** Which implementation was chosen, for profiles: "brgconv:avx512_core", "own". */
  virtual std::string implementation() const { return "own"; }
  /** Whether what `launch` enqueues depends on `Pointers::versions`. */
  virtual bool readsVersions() const { return false; }
  /** Runs, or enqueues, the kernel. Throws fovea::Error. */
  virtual void launch(Stream& stream, const Pointers& pointers) = 0;
};

}  // namespace fovea
