#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "core/check_operands.h"
#include "core/error.h"
#include "core/kernel.h"
#include "cpu/parallel.h"

namespace fovea::cpu {

/** A kernel that is a closure: everything that `prepare` worked out lives in its captures. */
class FunctionKernel final : public Kernel {
 public:
  using Function = std::function<void(const Pointers&)>;
  FunctionKernel(Function run, size_t workspace, std::string implementation)
      : run_(std::move(run)), workspace_(workspace), implementation_(std::move(implementation)) {}
  size_t workspaceBytes() const override { return workspace_; }
  std::string implementation() const override { return implementation_; }
  void launch(Stream&, const Pointers& pointers) override {
    const auto scope = threads_.scope();
    run_(pointers);
  }

 private:
  PreparedThreads threads_;
  Function run_;
  size_t workspace_;
  std::string implementation_;
};

inline std::unique_ptr<Kernel> makeKernel(FunctionKernel::Function run, size_t workspace = 0,
                                          std::string implementation = "own") {
  return std::make_unique<FunctionKernel>(std::move(run), workspace, std::move(implementation));
}

}  // namespace fovea::cpu
