#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

#include "core/elementwise_program.h"
#include "cuda/backend.h"
#include "cuda/kernel.h"
#include "cuda/kernels/elementwise.h"

/** @file Compiles elementwise programs for the interpreter of kernels/elementwise.h. */
namespace fovea::cuda {
namespace {

constexpr int kForever = 1 << 30;
constexpr unsigned kMostThreads = 128;  ///< Of a block; fewer where a program needs many registers.

struct Program {
  std::vector<ElementwiseInput> inputs;
  std::vector<ElementwiseStep> steps;
  std::vector<ElementwiseOutput> outputs;
  int64_t size = 0;
  int slots = 0;
};

ElementwiseInput planInput(const Check& check, const TensorDesc& t, const Dims& shape) {
  const Broadcast b = broadcastTo(check, t, shape);
  ElementwiseInput input{};
  input.dtype = t.dtype;
  input.slot = -1;
  const int64_t size = t.size();
  if (size == product(shape)) {
    input.access = Access::kDense;
  } else if (size == 1) {
    input.access = Access::kScalar;
  } else if (b.dims.size() == 2 && b.strides[0] == 0 && b.strides[1] == 1) {
    input.access = Access::kPeriodic;
    input.period = Divisor(size);
  } else {
    check.that(b.dims.size() <= kProgramAxes, "inputs of at most " + std::to_string(kProgramAxes) + " axes",
               fovea::describe(t));
    input.access = Access::kStrided;
    input.rank = static_cast<int>(b.dims.size());
    for (int i = 0; i < input.rank; ++i) {
      input.dims[i] = Divisor(b.dims[i]);
      input.strides[i] = b.strides[i];
    }
  }
  return input;
}

/** A parameter's bits in the compute type; whole numbers truncate and saturate. */
uint32_t parameter(bool int32, double value) {
  if (!int32) return std::bit_cast<uint32_t>(static_cast<float>(value));
  const double clamped = value != value ? 0 : std::clamp(value, -2147483648.0, 2147483647.0);
  return static_cast<uint32_t>(static_cast<int32_t>(clamped));
}

/** Registers of the program become as few slots as their lifetimes allow. */
void allocateSlots(const std::vector<ProgramStep>& steps, const std::vector<int>& results, bool int32, Program* p) {
  const int k = static_cast<int>(p->inputs.size()), n = static_cast<int>(steps.size());
  std::vector<int> lastUse(static_cast<size_t>(k + n), -1), slot(static_cast<size_t>(k + n), -1);
  for (int i = 0; i < n; ++i) {
    for (int r : steps[i].args) {
      if (r >= 0) lastUse[r] = i;
    }
  }
  for (int r : results) lastUse[r] = kForever;
  std::vector<int> free;
  const auto take = [&] {
    if (free.empty()) return p->slots++;
    const int s = free.back();
    free.pop_back();
    return s;
  };
  for (int r = 0; r < k; ++r) {
    if (lastUse[r] >= 0) slot[r] = p->inputs[r].slot = take();
  }
  for (int i = 0; i < n; ++i) {
    if (lastUse[k + i] < 0) continue;  // Nobody reads it.
    const auto& args = steps[i].args;
    ElementwiseStep step{};
    step.op = steps[i].op;
    step.p0 = parameter(int32, steps[i].p0);
    step.p1 = parameter(int32, steps[i].p1);
    int* operands[] = {&step.a, &step.b, &step.c};
    for (size_t a = 0; a < 3; ++a) *operands[a] = args[a] < 0 ? 0 : slot[args[a]];
    // Arguments that die here give their slot to the result.
    for (size_t a = 0; a < 3; ++a) {
      const int r = args[a];
      if (r < 0 || lastUse[r] != i || std::find(args.begin(), args.begin() + a, r) != args.begin() + a) continue;
      free.push_back(slot[r]);
    }
    step.y = slot[k + i] = take();
    p->steps.push_back(step);
  }
  for (size_t j = 0; j < results.size(); ++j) p->outputs[j].slot = slot[results[j]];
}

Program compile(const ElementwiseDesc& d) {
  const Check check("elementwise", d);
  checkOutputs(check, d);
  check.that(
      d.inputs.size() <= kProgramInputs && d.outputs.size() <= kProgramOutputs,
      "at most " + std::to_string(kProgramInputs) + " inputs and " + std::to_string(kProgramOutputs) + " outputs",
      std::to_string(d.inputs.size()) + " and " + std::to_string(d.outputs.size()));
  Program p;
  p.size = product(d.outputs[0].dims);
  for (const TensorDesc& t : d.inputs) p.inputs.push_back(planInput(check, t, d.outputs[0].dims));
  for (const TensorDesc& t : d.outputs) p.outputs.push_back({t.dtype, 0});
  allocateSlots(checkedProgram(check, d), d.results, d.int32, &p);
  return p;
}

/** Where the parts of a program lie in the one array that the device holds. */
struct Image {
  size_t inputs, steps, outputs;
  std::vector<std::byte> bytes;

  explicit Image(const Program& p) {
    Layout layout;
    inputs = layout.take(p.inputs.size() * sizeof(ElementwiseInput));
    steps = layout.take(p.steps.size() * sizeof(ElementwiseStep));
    outputs = layout.take(p.outputs.size() * sizeof(ElementwiseOutput));
    bytes.resize(layout.bytes());
    put(inputs, p.inputs);
    put(steps, p.steps);
    put(outputs, p.outputs);
  }

 private:
  template <class T>
  void put(size_t offset, const std::vector<T>& list) {
    if (!list.empty()) std::memcpy(bytes.data() + offset, list.data(), list.size() * sizeof(T));
  }
};

template <class T>
KernelPtr prepare(Context& context, const Program& p) {
  constexpr size_t kSlotBytes = kLanes * sizeof(T);
  const size_t perThread = kSlotBytes * static_cast<size_t>(p.slots);
  unsigned threads = kMostThreads;
  while (threads > 32 && perThread * threads > context.properties().sharedBytesPerBlock) threads /= 2;
  Shape shape = gridFor(context, (p.size + kLanes - 1) / kLanes, threads);
  size_t workspace = 0;
  if (perThread * threads <= context.properties().sharedBytesPerBlock) {
    shape.sharedBytes = perThread * threads;
  } else {
    workspace = perThread * threads * shape.blocks;
  }
  const Image image(p);
  const auto program = std::make_shared<const DeviceArray>(context.upload("program", image.bytes));
  typename Elementwise<T>::Args args{};
  args.inputs = at<const ElementwiseInput>(program->template as<char>(), image.inputs);
  args.steps = at<const ElementwiseStep>(program->template as<char>(), image.steps);
  args.outputs = at<const ElementwiseOutput>(program->template as<char>(), image.outputs);
  args.inputCount = static_cast<int>(p.inputs.size());
  args.stepCount = static_cast<int>(p.steps.size());
  args.outputCount = static_cast<int>(p.outputs.size());
  args.slots = p.slots;
  args.n = p.size;
  return makeKernel(context, "own", workspace, [=](Context& context, const Pointers& pointers) {
    typename Elementwise<T>::Args a = args;
    uintptr_t bits = 0;
    for (int i = 0; i < a.inputCount; ++i) bits |= reinterpret_cast<uintptr_t>(a.in[i] = pointers.inputs[i]);
    for (int i = 0; i < a.outputCount; ++i) bits |= reinterpret_cast<uintptr_t>(a.out[i] = pointers.outputs[i]);
    a.aligned = bits % 16 == 0;
    a.registers = workspace == 0 ? nullptr : static_cast<T*>(pointers.workspace);
    launchChecked<Elementwise<T>>(context, "elementwise", shape, a);
    static_cast<void>(program);  // Lives as long as the closure.
  });
}

}  // namespace

KernelPtr CudaBackend::prepareElementwise(const ElementwiseDesc& d) {
  const Program p = compile(d);
  if (p.size == 0) return makeNothing(context());
  context().enter();
  return d.int32 ? prepare<int32_t>(context(), p) : prepare<float>(context(), p);
}

}  // namespace fovea::cuda
