#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "core/elementwise_group.h"
#include "cuda/backend.h"
#include "cuda/elementwise_program.h"
#include "cuda/kernel.h"
#include "cuda/kernels/elementwise_group.h"

namespace fovea::cuda {
namespace {

/** The groups of one launch: as many as its arguments hold pointers for. */
struct Part {
  size_t first, groups;
  size_t entries;  ///< Where they are in the image.
  int64_t chunks;
  Shape shape;
};

/** Which list of inputs each program has, of as few lists as are different: most groups are read alike. */
struct InputLists {
  std::vector<ElementwiseInput> all;
  std::vector<int64_t> of;

  explicit InputLists(const std::vector<Program>& programs) {
    const size_t k = programs[0].inputs.size();
    for (const Program& p : programs) {
      size_t list = 0;
      while (list * k < all.size() && !same(p.inputs, list * k)) ++list;
      if (k > 0 && list * k == all.size()) all.insert(all.end(), p.inputs.begin(), p.inputs.end());
      of.push_back(static_cast<int64_t>(list));
    }
  }

 private:
  bool same(const std::vector<ElementwiseInput>& inputs, size_t from) const {
    return std::equal(inputs.begin(), inputs.end(), all.begin() + static_cast<int64_t>(from));
  }
};

template <class T>
KernelPtr prepare(Context& context, const std::vector<Program>& programs, const GroupLayout& layout) {
  const Program& p = programs[0];
  const Registers registers = registersFor(context, kLanes * sizeof(T), p.slots);
  const int64_t chunk = int64_t{registers.threads} * kLanes * kGroupPasses;
  const InputLists lists(programs);
  Image image;
  const size_t inputs = image.add(lists.all), steps = image.add(p.steps), outputs = image.add(p.outputs);
  const size_t most = (kGroupPointers - layout.shared) / (layout.inputs + layout.outputs);
  std::vector<Part> parts;
  size_t workspace = 0;
  for (size_t first = 0; first < programs.size(); first += most) {
    Part part{first, std::min(most, programs.size() - first), 0, 0, {}};
    std::vector<ElementwiseGroupEntry> entries;
    for (size_t g = first; g < first + part.groups; ++g) {
      entries.push_back({programs[g].size, part.chunks, lists.of[g]});
      part.chunks += (programs[g].size + chunk - 1) / chunk;
    }
    if (part.chunks == 0) continue;
    part.entries = image.add(entries);
    part.shape = gridFor(context, part.chunks * registers.threads, registers.threads);
    part.shape.sharedBytes = registers.sharedBytes;
    workspace = std::max(workspace, registers.workspaceBytes * part.shape.blocks);
    parts.push_back(part);
  }
  if (parts.empty()) return makeNothing(context);

  const auto device = std::make_shared<const DeviceArray>(context.upload("program", image.bytes()));
  char* base = device->template as<char>();
  typename ElementwiseGroup<T>::Args args{};
  args.program = {at<const ElementwiseStep>(base, steps), at<const ElementwiseOutput>(base, outputs),
                  static_cast<int>(p.inputs.size()),      static_cast<int>(p.steps.size()),
                  static_cast<int>(p.outputs.size()),     p.slots};
  args.inputs = at<const ElementwiseInput>(base, inputs);
  args.shared = static_cast<int>(layout.shared);
  args.own = static_cast<int>(layout.inputs);
  return makeKernel(context, "own", workspace, [=](Context& context, const Pointers& pointers) {
    typename ElementwiseGroup<T>::Args a = args;
    a.registers = workspace == 0 ? nullptr : static_cast<T*>(pointers.workspace);
    for (const Part& part : parts) {
      a.entries = at<const ElementwiseGroupEntry>(base, part.entries);
      a.groups = static_cast<int>(part.groups);
      a.chunks = part.chunks;
      uintptr_t bits = 0;
      void** next = a.pointers;
      const auto put = [&](const void* pointer) {
        bits |= reinterpret_cast<uintptr_t>(pointer);
        *next++ = const_cast<void*>(pointer);
      };
      for (size_t k = 0; k < layout.shared; ++k) put(pointers.inputs[k]);
      for (size_t g = part.first; g < part.first + part.groups; ++g) {
        for (size_t k = 0; k < layout.inputs; ++k) put(pointers.inputs[layout.input(g, layout.shared + k)]);
        for (size_t j = 0; j < layout.outputs; ++j) put(pointers.outputs[layout.output(g, j)]);
      }
      a.aligned = bits % 16 == 0;
      launchChecked<ElementwiseGroup<T>>(context, "elementwiseGroup", part.shape, a);
    }
    static_cast<void>(device);  // Lives as long as the closure.
  });
}

}  // namespace

KernelPtr CudaBackend::prepareElementwiseGroup(const ElementwiseGroupDesc& d) {
  constexpr const char* kKernel = "elementwiseGroup";
  GroupLayout layout;
  std::vector<Program> programs;
  for (const ElementwiseDesc& call : checkedGroups(Check(kKernel, d), d, &layout)) {
    programs.push_back(compileProgram(kKernel, call));
  }
  context().enter();
  return d.int32 ? prepare<int32_t>(context(), programs, layout) : prepare<float>(context(), programs, layout);
}

}  // namespace fovea::cuda
