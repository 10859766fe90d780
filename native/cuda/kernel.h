#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "core/backend.h"
#include "core/check_operands.h"
#include "core/kernel.h"
#include "cuda/context.h"
#include "cuda/kernels/launch.h"

namespace fovea::cuda {

/** A kernel that is a closure: everything that `prepare` worked out lives in its captures. */
class FunctionKernel final : public Kernel {
 public:
  using Function = std::function<void(Context&, const Pointers&)>;
  FunctionKernel(Context& context, std::string implementation, size_t workspace, Function run)
      : context_(context), implementation_(std::move(implementation)), workspace_(workspace), run_(std::move(run)) {}
  size_t workspaceBytes() const override { return workspace_; }
  std::string implementation() const override { return implementation_; }
  void launch(Stream&, const Pointers& pointers) override {
    context_.enter();
    run_(context_, pointers);
  }

 private:
  Context& context_;
  std::string implementation_;
  size_t workspace_;
  Function run_;
};

/**
 * @param implementation what profiles call it: "own", "cudnn:engine 17"
 * @param run enqueues the work on `context.stream()`; neither allocates nor waits
 */
inline KernelPtr makeKernel(Context& context, std::string implementation, size_t workspaceBytes,
                            FunctionKernel::Function run) {
  return std::make_unique<FunctionKernel>(context, std::move(implementation), workspaceBytes, std::move(run));
}

/** A kernel with nothing to do: empty outputs. */
inline KernelPtr makeNothing(Context& context) {
  return makeKernel(context, "nothing", 0, [](Context&, const Pointers&) {});
}

inline constexpr unsigned kThreads = 256;

/** Blocks of a grid-stride loop over n elements: all that can be resident at once, and at least one. */
inline Shape gridFor(const Context& context, int64_t n, unsigned threads = kThreads) {
  const int64_t needed = (n + threads - 1) / threads;
  const int64_t resident = int64_t{context.properties().multiprocessors} *
                           std::max(1, context.properties().threadsPerMultiprocessor / static_cast<int>(threads));
  return {static_cast<unsigned>(std::clamp<int64_t>(needed, 1, resident)), threads, 0};
}

/** Enqueues `Kernel`; throws an error that names `op`, the grid and the CUDA status. */
template <class Kernel>
void launchChecked(Context& context, const char* op, const Shape& shape, const typename Kernel::Args& args) {
  static_assert(sizeof(typename Kernel::Args) <= 4000, "a kernel's arguments are at most 4 KB");
  context.check(launch<Kernel>(context.stream(), shape, args, context.halt()), "cudaLaunchKernel", [&] {
    return std::string(op) + ", " + std::to_string(shape.blocks) + " blocks of " + std::to_string(shape.threads) +
           " threads, " + std::to_string(shape.sharedBytes) + " bytes shared";
  });
}

}  // namespace fovea::cuda
