#include <memory>

#include "cuda/backend.h"
#include "cuda/elementwise_program.h"
#include "cuda/kernel.h"
#include "cuda/kernels/elementwise.h"

namespace fovea::cuda {
namespace {

template <class T>
KernelPtr prepare(Context& context, const Program& p) {
  const Registers registers = registersFor(context, kLanes * sizeof(T), p.slots);
  Shape shape = gridFor(context, (p.size + kLanes - 1) / kLanes, registers.threads);
  shape.sharedBytes = registers.sharedBytes;
  const size_t workspace = registers.workspaceBytes * shape.blocks;
  Image image;
  const size_t inputs = image.add(p.inputs), steps = image.add(p.steps), outputs = image.add(p.outputs);
  const auto program = std::make_shared<const DeviceArray>(context.upload("program", image.bytes()));
  char* base = program->template as<char>();
  typename Elementwise<T>::Args args{};
  args.program = {at<const ElementwiseStep>(base, steps), at<const ElementwiseOutput>(base, outputs),
                  static_cast<int>(p.inputs.size()),      static_cast<int>(p.steps.size()),
                  static_cast<int>(p.outputs.size()),     p.slots};
  args.inputs = at<const ElementwiseInput>(base, inputs);
  args.n = p.size;
  return makeKernel(context, "own", workspace, [=](Context& context, const Pointers& pointers) {
    typename Elementwise<T>::Args a = args;
    uintptr_t bits = 0;
    for (int i = 0; i < a.program.inputs; ++i) bits |= reinterpret_cast<uintptr_t>(a.in[i] = pointers.inputs[i]);
    for (int i = 0; i < a.program.outputs; ++i) bits |= reinterpret_cast<uintptr_t>(a.out[i] = pointers.outputs[i]);
    a.aligned = bits % 16 == 0;
    a.registers = workspace == 0 ? nullptr : static_cast<T*>(pointers.workspace);
    launchChecked<Elementwise<T>>(context, "elementwise", shape, a);
    static_cast<void>(program);  // Lives as long as the closure.
  });
}

}  // namespace

KernelPtr CudaBackend::prepareElementwise(const ElementwiseDesc& d) {
  const Program p = compileProgram("elementwise", d);
  if (p.size == 0) return makeNothing(context());
  context().enter();
  return d.int32 ? prepare<int32_t>(context(), p) : prepare<float>(context(), p);
}

}  // namespace fovea::cuda
