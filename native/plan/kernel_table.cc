#include "plan/kernel_table.h"

#include <cmath>
#include <map>
#include <utility>

#include "core/elementwise_group.h"
#include "core/error.h"
#include "plan/attributes.h"

namespace fovea {
namespace {

const std::vector<std::pair<std::string, Activation>> kActivations = {{"linear", Activation::kLinear},
                                                                      {"relu", Activation::kRelu}};

void readConv2dGeometry(AttributeReader& a, Conv2dDesc& d) {
  d.window.strides = a.tuple<2>("strides", 1);
  d.window.dilations = a.tuple<2>("dilations", 1);
  d.window.padding = a.tuple<4>("padding", 0);
  d.groups = a.integer("groups", 1);
}

void readConv2d(AttributeReader& a, Conv2dDesc& d) {
  readConv2dGeometry(a, d);
  d.activation = a.choice("activation", kActivations);
  d.residual = a.flag("residual");
}

void readPool2d(AttributeReader& a, Pool2dDesc& d) {
  d.poolSize = a.tuple<2>("poolSize", 1);
  d.window.strides = a.tuple<2>("strides", 1);
  d.window.padding = a.tuple<4>("padding", 0);
}

void readBatchNorm(AttributeReader& a, BatchNormDesc& d) {
  d.epsilon = a.numberAtLeast("epsilon", 0);
  d.activation = a.choice("activation", kActivations);
}

void readBatchNormBackward(AttributeReader& a, BatchNormDesc& d) { d.epsilon = a.numberAtLeast("epsilon", 0); }

void readLrn(AttributeReader& a, LrnDesc& d) {
  d.depthRadius = a.integer("depthRadius", 0);
  d.bias = a.number("bias");
  d.alpha = a.number("alpha");
  d.beta = a.number("beta");
}

void readMatmul(AttributeReader& a, MatmulDesc& d) {
  d.transposeA = a.boolean("transposeA");
  d.transposeB = a.boolean("transposeB");
  d.activation = a.choice("activation", kActivations);
}

/** A program whose first registers are `inputs` of the operands. */
void readProgram(AttributeReader& a, int64_t inputs, std::vector<int64_t> results, ElementwiseProgram& d) {
  d.int32 = a.choice<bool>("compute", {{"float", false}, {"int32", true}});
  const std::vector<std::string> opcodes = a.strings("opcodes");
  const std::vector<int64_t> args = a.integers("args", -1);
  const std::vector<double> params = a.numbers("params");
  if (args.size() != 3 * opcodes.size()) a.refuse("args", "3 registers for each of the opcodes");
  if (params.size() != 2 * opcodes.size()) a.refuse("params", "2 numbers for each of the opcodes");
  const int64_t registers = inputs + static_cast<int64_t>(opcodes.size());
  for (size_t i = 0; i < opcodes.size(); ++i) {
    Instruction instruction{opcodes[i], {}, {params[2 * i], params[2 * i + 1]}};
    for (size_t k = 0; k < 3; ++k) {
      const int64_t r = args[3 * i + k];
      if (r >= inputs + static_cast<int64_t>(i)) a.refuse("args", "registers written by earlier instructions");
      instruction.args[k] = static_cast<int>(r);
    }
    d.program.push_back(std::move(instruction));
  }
  for (int64_t r : results) {
    if (r >= registers) a.refuse("results", "registers below " + std::to_string(registers));
    d.results.push_back(static_cast<int>(r));
  }
}

void readElementwise(AttributeReader& a, ElementwiseDesc& d) {
  readProgram(a, static_cast<int64_t>(d.inputs.size()), a.integers("results", 0), d);
  if (d.results.size() != d.outputs.size()) a.refuse("results", "one register for each output");
}

void readElementwiseGroup(AttributeReader& a, ElementwiseGroupDesc& d) {
  d.shared = a.integer("shared", 0);
  const std::vector<int64_t> results = a.integers("results", 0);
  const GroupLayout layout =
      groupLayout(d.inputs.size(), d.outputs.size(), results.size(), static_cast<size_t>(d.shared),
                  [&](const char* name, const std::string& expected) { a.refuse(name, expected); });
  readProgram(a, static_cast<int64_t>(layout.shared + layout.inputs), results, d);
}

/** In place: any output on any input. */
bool anywhere(const StepDesc&, size_t, size_t) { return true; }

/** In place: an output on the inputs of its own group, which no other group reads. */
bool withinGroup(const StepDesc& step, size_t output, size_t input) {
  AttributeReader a(step.kernel, step.attributes);
  return groupLayout(step.inputs.size(), step.outputs.size(), a.integers("results", 0).size(),
                     static_cast<size_t>(a.integer("shared", 0)),
                     [&](const char* name, const std::string& expected) { a.refuse(name, expected); })
      .together(input, output);
}

void readReduce(AttributeReader& a, ReduceDesc& d) {
  d.mode = a.choice<ReduceMode>("mode", {{"sum", ReduceMode::kSum},
                                         {"mean", ReduceMode::kMean},
                                         {"max", ReduceMode::kMax},
                                         {"min", ReduceMode::kMin},
                                         {"prod", ReduceMode::kProd}});
  d.axes = a.integers("axes", 0);
  for (size_t i = 0; i < d.axes.size(); ++i) {
    if (d.axes[i] >= d.inputs[0].rank() || (i > 0 && d.axes[i] <= d.axes[i - 1])) {
      a.refuse("axes", "sorted, distinct axes below " + std::to_string(d.inputs[0].rank()));
    }
  }
}

/** `axis` of `operand`, which must have it. */
void readAxisOf(const TensorDesc& operand, AttributeReader& a, AxisDesc& d) {
  d.axis = a.integer("axis", 0);
  if (d.axis >= operand.rank()) a.refuse("axis", "an axis below " + std::to_string(operand.rank()));
}

void readAxis(AttributeReader& a, AxisDesc& d) { readAxisOf(d.inputs[0], a, d); }
/** The axis of scatterAdd is one of the gradient it makes. */
void readOutputAxis(AttributeReader& a, AxisDesc& d) { readAxisOf(d.outputs[0], a, d); }

/** One whole number of at least `least` per axis of the input. */
std::vector<int64_t> perAxis(AttributeReader& a, const std::string& name, const Operands& d) {
  std::vector<int64_t> list = a.integers(name, 0);
  if (list.size() != d.inputs[0].dims.size()) {
    a.refuse(name, std::to_string(d.inputs[0].dims.size()) + " whole numbers, one per axis");
  }
  return list;
}

void readSlice(AttributeReader& a, SliceDesc& d) { d.begin = perAxis(a, "begin", d); }

void readPad(AttributeReader& a, PadDesc& d) {
  d.before = perAxis(a, "before", d);
  d.value = a.number("value");
}

void readTranspose(AttributeReader& a, TransposeDesc& d) {
  d.perm = perAxis(a, "perm", d);
  std::vector<bool> seen(d.perm.size());
  for (int64_t axis : d.perm) {
    if (axis >= static_cast<int64_t>(seen.size()) || seen[axis]) a.refuse("perm", "a permutation of the axes");
    seen[axis] = true;
  }
}

void readResize(AttributeReader& a, ResizeDesc& d) {
  d.rows = {a.integers("rowStarts", 0), a.numbers("rowWeights")};
  d.columns = {a.integers("columnStarts", 0), a.numbers("columnWeights")};
}

void readDropout(AttributeReader& a, DropoutDesc& d) {
  d.rate = a.numberAtLeast("rate", 0);
  if (d.rate > 1) a.refuse("rate", "a number from 0 to 1");
}

void readRandom(AttributeReader& a, RandomDesc& d) {
  d.distribution = a.choice<Distribution>("distribution", {{"uniform", Distribution::kUniform},
                                                           {"normal", Distribution::kNormal},
                                                           {"truncatedNormal", Distribution::kTruncatedNormal}});
  d.a = a.number("a");
  d.b = a.number("b");
}

void readNothing(AttributeReader&, Operands&) {}

struct Range {
  size_t min, max;
  Range(size_t n) : min(n), max(n) {}  // NOLINT: an exact count is a range
  Range(size_t least, size_t most) : min(least), max(most) {}
};

/** The entry of a kernel whose attributes `read` puts into a Desc, prepared by `prepare`. */
template <typename Desc, typename Read>
KernelEntry entry(Range inputs, Range outputs, KernelPtr (Backend::*prepare)(const Desc&), Read read,
                  KernelEntry::InPlace inPlace = nullptr) {
  return {inputs.min,
          inputs.max,
          outputs.min,
          outputs.max,
          inPlace,
          [prepare, read](const StepDesc& step, Operands operands) -> Preparation {
            Desc desc;
            static_cast<Operands&>(desc) = std::move(operands);
            AttributeReader reader(step.kernel, step.attributes);
            read(reader, desc);
            reader.finish();
            return [prepare, desc = std::move(desc)](Backend& backend) { return (backend.*prepare)(desc); };
          }};
}

std::map<std::string, KernelEntry> makeTable() {
  using B = Backend;
  constexpr size_t any = KernelEntry::kAny;
  return {
      {"argMax", entry(1, 1, &B::prepareArgMax, readAxis)},
      {"avgPool2d", entry(1, 1, &B::prepareAvgPool2d, readPool2d)},
      {"avgPool2dBackward", entry(1, 1, &B::prepareAvgPool2dBackward, readPool2d)},
      {"batchNorm", entry(3, 3, &B::prepareBatchNorm, readBatchNorm)},
      {"batchNormBackward", entry({5, 6}, 3, &B::prepareBatchNormBackward, readBatchNormBackward)},
      {"concat", entry({1, any}, 1, &B::prepareConcat, readAxis)},
      {"conv2d", entry({2, 4}, 1, &B::prepareConv2d, readConv2d)},
      {"conv2dBackwardInput", entry(2, 1, &B::prepareConv2dBackwardInput, readConv2dGeometry)},
      {"conv2dBackwardKernel", entry(2, {1, 2}, &B::prepareConv2dBackwardKernel, readConv2dGeometry)},
      {"copy", entry(1, 1, &B::prepareCopy, readNothing)},
      {"dropout", entry(2, 1, &B::prepareDropout, readDropout, anywhere)},
      {"elementwise", entry({0, any}, {1, any}, &B::prepareElementwise, readElementwise, anywhere)},
      {"elementwiseGroup", entry({0, any}, {1, any}, &B::prepareElementwiseGroup, readElementwiseGroup, withinGroup)},
      {"gather", entry(2, 1, &B::prepareGather, readAxis)},
      {"logSoftmax", entry(1, 1, &B::prepareLogSoftmax, readNothing)},
      {"logSoftmaxBackward", entry(2, 1, &B::prepareLogSoftmaxBackward, readNothing)},
      {"lrn", entry(1, 1, &B::prepareLrn, readLrn)},
      {"lrnBackward", entry(2, 1, &B::prepareLrnBackward, readLrn)},
      {"matmul", entry({2, 3}, 1, &B::prepareMatmul, readMatmul)},
      {"maxPool2d", entry(1, 1, &B::prepareMaxPool2d, readPool2d)},
      {"maxPool2dBackward", entry(3, 1, &B::prepareMaxPool2dBackward, readPool2d)},
      {"oneHot", entry(1, 1, &B::prepareOneHot, readNothing)},
      {"pad", entry(1, 1, &B::preparePad, readPad)},
      {"random", entry(1, 1, &B::prepareRandom, readRandom)},
      {"reduce", entry(1, 1, &B::prepareReduce, readReduce)},
      {"resize", entry(1, 1, &B::prepareResize, readResize)},
      {"scatterAdd", entry(2, 1, &B::prepareScatterAdd, readOutputAxis)},
      {"slice", entry(1, 1, &B::prepareSlice, readSlice)},
      {"softmax", entry(1, 1, &B::prepareSoftmax, readNothing)},
      {"softmaxBackward", entry(2, 1, &B::prepareSoftmaxBackward, readNothing)},
      {"softmaxCrossEntropy", entry(2, 1, &B::prepareSoftmaxCrossEntropy, readNothing)},
      {"softmaxCrossEntropyBackward", entry(3, 1, &B::prepareSoftmaxCrossEntropyBackward, readNothing)},
      {"sparseSoftmaxCrossEntropy", entry(2, 1, &B::prepareSparseSoftmaxCrossEntropy, readNothing)},
      {"sparseSoftmaxCrossEntropyBackward", entry(3, 1, &B::prepareSparseSoftmaxCrossEntropyBackward, readNothing)},
      {"transpose", entry(1, 1, &B::prepareTranspose, readTranspose)},
  };
}

const std::map<std::string, KernelEntry>& table() {
  static const auto* entries = new std::map<std::string, KernelEntry>(makeTable());  // outlives every thread
  return *entries;
}

}  // namespace

const KernelEntry* findKernel(const std::string& name) {
  const auto found = table().find(name);
  return found == table().end() ? nullptr : &found->second;
}

const std::vector<std::string>& kernelNames() {
  static const auto* names = [] {
    auto* list = new std::vector<std::string>;
    for (const auto& [name, entry] : table()) list->push_back(name);
    return list;
  }();
  return *names;
}

}  // namespace fovea
