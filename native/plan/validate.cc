#include "plan/validate.h"

#include <iterator>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "core/error.h"

namespace fovea {
namespace {

constexpr int64_t kAlignment = 64;

std::string at(const char* what, size_t i) { return std::string(what) + "[" + std::to_string(i) + "]"; }

std::string below(size_t n) { return "expected a number below " + std::to_string(n); }

bool isIndex(int64_t i, size_t n) { return i >= 0 && static_cast<uint64_t>(i) < n; }

/** Elements of an external that a storage stands for. */
int64_t sizeOf(const PlanDesc& plan, const StorageDesc& s) {
  return s.size < 0 ? plan.externals[s.index].size : s.size;
}

void checkPart(const std::string& name, const StorageDesc& s, const ExternalDesc& external) {
  if (s.first == 0 && s.size == -1) return;
  const bool within = s.first >= 0 && s.size >= 0 && s.first <= external.size && s.size <= external.size - s.first;
  require(within, name + ": expected a part of the " + std::to_string(external.size) + " elements of external " +
                      std::to_string(s.index) + ", received first " + std::to_string(s.first) + ", size " +
                      std::to_string(s.size));
  const auto width = static_cast<int64_t>(bytesPerElement(external.dtype));
  require(s.first % (kAlignment / width) == 0,
          name + ".first: expected an element at a multiple of 64 bytes, received " + std::to_string(s.first));
}

void checkStorages(const PlanDesc& plan) {
  require(plan.arenaBytes >= 0, "plan: arenaBytes: expected 0 or more, received " + std::to_string(plan.arenaBytes));
  for (size_t i = 0; i < plan.externals.size(); ++i) {
    require(plan.externals[i].size >= 0, "plan: " + at("externals", i) + ".size: expected 0 or more, received " +
                                             std::to_string(plan.externals[i].size));
  }
  for (size_t i = 0; i < plan.storages.size(); ++i) {
    const StorageDesc& s = plan.storages[i];
    const std::string name = "plan: " + at("storages", i);
    if (s.kind == StorageDesc::Kind::kExternal) {
      require(isIndex(s.index, plan.externals.size()),
              name + ".index: " + below(plan.externals.size()) + ", received " + std::to_string(s.index));
      checkPart(name, s, plan.externals[s.index]);
      continue;
    }
    require(s.offset >= 0 && s.offset % kAlignment == 0,
            name + ".offset: expected a multiple of 64, received " + std::to_string(s.offset));
    require(s.bytes >= 0 && s.offset <= plan.arenaBytes && s.bytes <= plan.arenaBytes - s.offset,
            name + ": expected a range within arenaBytes " + std::to_string(plan.arenaBytes) + ", received offset " +
                std::to_string(s.offset) + ", bytes " + std::to_string(s.bytes));
  }
}

/** Bytes of a shape; throws where a dimension is negative or the size is one that cannot exist. */
int64_t checkedBytes(const std::string& name, const TensorDesc& tensor) {
  constexpr int64_t kMost = int64_t{1} << 47;
  int64_t bytes = static_cast<int64_t>(bytesPerElement(tensor.dtype));
  bool empty = false;
  for (int64_t d : tensor.dims) {
    require(d >= 0, name + ".shape: expected whole numbers of 0 or more, received " + describe(tensor));
    empty |= d == 0;
    if (d > 0) {
      require(bytes <= kMost / d, name + ".shape: expected at most 2^47 bytes, received " + describe(tensor));
      bytes *= d;
    }
  }
  return empty ? 0 : bytes;
}

void checkSlots(const PlanDesc& plan) {
  for (size_t i = 0; i < plan.slots.size(); ++i) {
    const SlotDesc& slot = plan.slots[i];
    const std::string name = "plan: " + at("slots", i);
    require(isIndex(slot.storage, plan.storages.size()),
            name + ".storage: " + below(plan.storages.size()) + ", received " + std::to_string(slot.storage));
    const int64_t bytes = checkedBytes(name, slot.tensor);
    const StorageDesc& storage = plan.storages[slot.storage];
    if (storage.kind == StorageDesc::Kind::kArena) {
      require(bytes <= storage.bytes, name + ": expected at most the " + std::to_string(storage.bytes) +
                                          " bytes of storage " + std::to_string(slot.storage) + ", received " +
                                          describe(slot.tensor));
      continue;
    }
    const ExternalDesc& external = plan.externals[storage.index];
    const int64_t size = sizeOf(plan, storage);
    require(external.dtype == slot.tensor.dtype && size == slot.tensor.size(),
            name + ": expected the " + nameOf(external.dtype) + " and " + std::to_string(size) +
                " elements of external " + std::to_string(storage.index) + ", received " + describe(slot.tensor));
  }
}

/** The bytes a slot touches: in one of the externals, or in the arena (number -1). */
struct Extent {
  int64_t external, begin, end;
  bool overlaps(const Extent& o) const { return external == o.external && begin < o.end && o.begin < end; }
};

Extent extentOf(const PlanDesc& plan, const SlotDesc& slot) {
  const StorageDesc& s = plan.storages[slot.storage];
  const int64_t bytes = static_cast<int64_t>(slot.tensor.bytes());
  if (s.kind == StorageDesc::Kind::kExternal) {
    const int64_t begin = s.first * static_cast<int64_t>(bytesPerElement(slot.tensor.dtype));
    return {s.index, begin, begin + bytes};
  }
  return {-1, s.offset, s.offset + bytes};
}

void checkCount(const std::string& kernel, const char* what, size_t count, size_t least, size_t most) {
  if (count >= least && count <= most) return;
  std::string expected = std::to_string(least);
  if (most == KernelEntry::kAny) {
    expected += " or more";
  } else if (most != least) {
    expected += " to " + std::to_string(most);
  }
  throw Error("ERR_ARGUMENT", kernel + ": expected " + expected + " " + what + ", received " + std::to_string(count));
}

void checkOverlaps(const PlanDesc& plan, const StepDesc& step, const KernelEntry& kernel) {
  for (size_t o = 0; o < step.outputs.size(); ++o) {
    const SlotDesc& output = plan.slots[step.outputs[o]];
    const Extent written = extentOf(plan, output);
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const SlotDesc& input = plan.slots[step.inputs[i]];
      const Extent read = extentOf(plan, input);
      if (!written.overlaps(read)) continue;
      const bool same = (output.storage == input.storage || (written.external >= 0 && written.begin == read.begin)) &&
                        output.tensor.dtype == input.tensor.dtype && output.tensor.size() == input.tensor.size();
      const std::string which = step.kernel + ": output " + std::to_string(o) + " overlaps input " + std::to_string(i);
      require(kernel.inPlace, which + "; this kernel does not run in place");
      require(same, which + "; in place expects an output with the same storage, size and dtype");
      require(kernel.inPlace(step, o, i), which + "; in place expects an input that no other group reads");
    }
    for (size_t other = 0; other < o; ++other) {
      require(!written.overlaps(extentOf(plan, plan.slots[step.outputs[other]])),
              step.kernel + ": outputs " + std::to_string(other) + " and " + std::to_string(o) + " overlap");
    }
  }
}

/** Which storages hold a value: externals always, those of the arena from a write until another range overwrites them.
 */
class WrittenStorages {
 public:
  explicit WrittenStorages(const PlanDesc& plan) : plan_(plan) {}

  bool has(int64_t storage) const {
    const StorageDesc& s = plan_.storages[storage];
    if (s.kind == StorageDesc::Kind::kExternal || s.bytes == 0) return true;
    const auto found = arena_.find(s.offset);
    return found != arena_.end() && found->second == storage;
  }

  void add(int64_t storage) {
    const StorageDesc& s = plan_.storages[storage];
    if (s.kind == StorageDesc::Kind::kExternal || s.bytes == 0) return;
    // The ranges in the map never overlap, so only the one before can reach into this one.
    auto first = arena_.lower_bound(s.offset);
    if (first != arena_.begin() && endOf(std::prev(first)->second) > s.offset) --first;
    auto last = first;
    while (last != arena_.end() && last->first < s.offset + s.bytes) ++last;
    arena_.erase(first, last);
    arena_.emplace(s.offset, storage);
  }

 private:
  int64_t endOf(int64_t storage) const { return plan_.storages[storage].offset + plan_.storages[storage].bytes; }

  const PlanDesc& plan_;
  std::map<int64_t, int64_t> arena_;  ///< Offset to storage.
};

/** Which externals some step writes. */
std::set<int64_t> writtenExternals(const PlanDesc& plan) {
  std::set<int64_t> indices;
  for (const StepDesc& step : plan.steps) {
    for (int64_t slot : step.outputs) {
      if (!isIndex(slot, plan.slots.size())) continue;  // Refused with its step.
      const StorageDesc& storage = plan.storages[plan.slots[slot].storage];
      if (storage.kind == StorageDesc::Kind::kExternal) indices.insert(storage.index);
    }
  }
  return indices;
}

Preparation checkStep(const PlanDesc& plan, const StepDesc& step, const std::set<int64_t>& changing,
                      WrittenStorages& written) {
  const KernelEntry* kernel = findKernel(step.kernel);
  if (!kernel) throw Error("ERR_UNSUPPORTED", "expected a kernel of docs/kernels.md, received '" + step.kernel + "'");
  checkCount(step.kernel, "inputs", step.inputs.size(), kernel->minInputs, kernel->maxInputs);
  checkCount(step.kernel, "outputs", step.outputs.size(), kernel->minOutputs, kernel->maxOutputs);
  Operands operands;
  for (const auto& [what, list, tensors] : {std::tuple("inputs", &step.inputs, &operands.inputs),
                                            std::tuple("outputs", &step.outputs, &operands.outputs)}) {
    for (size_t i = 0; i < list->size(); ++i) {
      require(isIndex((*list)[i], plan.slots.size()), step.kernel + ": " + at(what, i) + ": " +
                                                          below(plan.slots.size()) + ", received " +
                                                          std::to_string((*list)[i]));
      const SlotDesc& slot = plan.slots[(*list)[i]];
      const StorageDesc& storage = plan.storages[slot.storage];
      tensors->push_back(slot.tensor);
      tensors->back().steady = storage.kind == StorageDesc::Kind::kExternal && changing.count(storage.index) == 0;
    }
  }
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    require(written.has(plan.slots[step.inputs[i]].storage) || operands.inputs[i].size() == 0,
            step.kernel + ": input " + std::to_string(i) + " (slot " + std::to_string(step.inputs[i]) +
                ") reads an arena storage that holds no value: no earlier step wrote it, or another overwrote it");
  }
  Preparation preparation = kernel->bind(step, std::move(operands));
  checkOverlaps(plan, step, *kernel);
  for (int64_t slot : step.outputs) written.add(plan.slots[slot].storage);
  return preparation;
}

}  // namespace

void rethrowFor(const StepDesc& step, const Error& error) {
  // One prefix that names the op and the layer, in place of the kernel's own.
  std::string message = error.what();
  for (const std::string& name : {step.kernel, step.op}) {
    if (!name.empty() && message.rfind(name + ": ", 0) == 0) message.erase(0, name.size() + 2);
  }
  const std::string& op = step.op.empty() ? step.kernel : step.op;
  Error named(error.code(), op + (step.layer.empty() ? "" : " \"" + step.layer + "\"") + ": " + message);
  named.op = op;
  named.layer = step.layer;
  throw named;
}

std::vector<Preparation> validate(const PlanDesc& plan) {
  checkStorages(plan);
  checkSlots(plan);
  const std::set<int64_t> changing = writtenExternals(plan);
  WrittenStorages written(plan);
  std::vector<Preparation> preparations;
  preparations.reserve(plan.steps.size());
  for (const StepDesc& step : plan.steps) {
    try {
      preparations.push_back(checkStep(plan, step, changing, written));
    } catch (const Error& error) {
      rethrowFor(step, error);
    }
  }
  return preparations;
}

}  // namespace fovea
