#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/backend.h"
#include "plan/plan_desc.h"

namespace fovea {

/** Asks a backend for the kernel of one step; the step's attributes have been read and checked. */
using Preparation = std::function<KernelPtr(Backend&)>;

/** A kernel of docs/kernels.md: how many operands it takes, and how its attributes become a descriptor. */
struct KernelEntry {
  /** No upper bound on the number of inputs. */
  static constexpr size_t kAny = SIZE_MAX;
  /** Whether an output may lie on the storage of an input of its size and dtype; asked once `bind` took the attributes.
   */
  using InPlace = bool (*)(const StepDesc&, size_t output, size_t input);

  size_t minInputs, maxInputs;
  size_t minOutputs, maxOutputs;
  InPlace inPlace;  ///< Null: never.
  std::function<Preparation(const StepDesc&, Operands)> bind;
};

/** The entry of that name, or null. */
const KernelEntry* findKernel(const std::string& name);

/** The names of all kernels, sorted. */
const std::vector<std::string>& kernelNames();

}  // namespace fovea
