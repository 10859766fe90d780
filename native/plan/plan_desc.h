#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "core/tensor_desc.h"

/**
 * @file
 * What a plan is made from: the plain form of lib/backends/backend.ts's PlanDescription.
 */
namespace fovea {

/** Where a value lives while a plan runs. */
struct StorageDesc {
  enum class Kind : uint8_t { kExternal, kArena };
  Kind kind = Kind::kExternal;
  int64_t index = 0;   ///< External: which of the buffers given to a run.
  int64_t offset = 0;  ///< Arena: first byte.
  int64_t bytes = 0;   ///< Arena: length.
  int64_t first = 0;   ///< External: first element.
  int64_t size = -1;   ///< External: elements; -1 stands for all of the buffer.
};

/** A typed, shaped view of a storage. */
struct SlotDesc {
  int64_t storage = 0;
  TensorDesc tensor;
};

/** Attribute values as they come from JavaScript. */
using AttributeValue = std::variant<bool, double, std::string, std::vector<double>, std::vector<std::string>>;
using Attributes = std::map<std::string, AttributeValue>;

/** One kernel call; inputs and outputs are slot numbers. */
struct StepDesc {
  std::string kernel;
  Attributes attributes;
  std::vector<int64_t> inputs;
  std::vector<int64_t> outputs;
  std::string op;     ///< The op that made the step, for errors and profiles.
  std::string layer;  ///< The path of the layer that made it.
};

/** A buffer that a run expects. */
struct ExternalDesc {
  DType dtype = DType::kFloat32;
  int64_t size = 0;
};

struct PlanDesc {
  std::vector<StorageDesc> storages;
  std::vector<SlotDesc> slots;
  std::vector<StepDesc> steps;
  int64_t arenaBytes = 0;
  std::vector<ExternalDesc> externals;
};

}  // namespace fovea
