#include <cmath>
#include <map>
#include <set>

#include "native/cuda_kernels/host_kernels.h"
#include "plan/kernel_table.h"

/** @file Every kernel of ours with random shapes, in three floating-point types, against the cpu backend. */
namespace fovea::test {
namespace {

constexpr int kCases = 60, kSpoiledCases = 40;

bool isOurs(const std::string& kernel) { return kernel.rfind("conv2d", 0) != 0 && kernel != "matmul"; }

/** Opcodes whose results differ in the last digits from one C library to another. */
const std::set<std::string> kInexact = {"exp",     "expm1", "log",  "log1p", "sin",  "cos",      "erf",      "tanh",
                                        "sigmoid", "elu",   "selu", "gelu",  "silu", "geluTanh", "softplus", "pow"};

/** A random program of exact opcodes: what follows a comparison or a rounding can be compared too. */
KernelCase exactProgram(KernelCase c) {
  auto& opcodes = std::get<std::vector<std::string>>(c.attributes.at("opcodes"));
  for (std::string& op : opcodes) {
    if (kInexact.count(op) != 0) op = op == "pow" ? "sub" : "neg";
  }
  return c;
}

/** How far float32 results may be off. 0 for those that must be equal bit for bit. */
double toleranceOf(const KernelCase& c) {
  static const std::map<std::string, double> table = {
      {"avgPool2d", 1e-6},
      {"avgPool2dBackward", 1e-6},
      {"batchNorm", 2e-5},
      {"batchNormBackward", 2e-5},
      {"logSoftmax", 2e-6},
      {"logSoftmaxBackward", 2e-5},
      {"lrn", 2e-6},
      {"lrnBackward", 2e-6},
      {"random", 1e-7},
      {"reduce", 2e-6},
      {"resize", 1e-6},
      {"softmax", 2e-6},
      {"softmaxBackward", 5e-6},
      {"softmaxCrossEntropy", 2e-5},
      {"softmaxCrossEntropyBackward", 1e-5},
      {"sparseSoftmaxCrossEntropy", 2e-6},
      {"sparseSoftmaxCrossEntropyBackward", 2e-6},
  };
  const auto found = table.find(c.kernel);
  return found == table.end() ? 0 : found->second;
}

/** Numbers that fit the kernel: ties, NaN and infinities where it says what becomes of them. */
void prepareInputs(const KernelCase& c, const Memories& inputs, std::mt19937& random) {
  for (const auto& m : inputs) randomize(*m, c.indexBound, random);
  if (inputs.empty()) return;
  Memory& x = *inputs[0];
  const bool special = c.kernel.find("Pool2d") != std::string::npos || c.kernel == "argMax" ||
                       c.kernel.rfind("elementwise", 0) == 0 || c.kernel == "dropout";
  if (isFloat(x.tensor().dtype) && special && pick(random, 0, 2) == 0) {
    for (int64_t i = 0; i < x.tensor().size(); ++i) {
      x.set(i, std::nearbyint(2 * x.get(i)) / 2);
      if (pick(random, 0, 40) == 0) x.set(i, NAN);
      if (pick(random, 0, 40) == 0) x.set(i, pick(random, 0, 1) ? INFINITY : -INFINITY);
    }
  }
  if (c.kernel == "maxPool2dBackward") {  // y is what maxPool2d gives.
    KernelCase forward = c;
    forward.kernel = "maxPool2d";
    forward.inputs = {c.inputs[0]};
    forward.outputs = {c.inputs[1]};
    runOn(hostCuda(), forward, {inputs[0]}, {inputs[1]});
  }
  if (c.kernel ==
      "logSoftmaxBackward") {  // y are logarithms of probabilities: others would magnify the sum's last digit.
    const Memories logits = {std::make_shared<Memory>(c.inputs[0])};
    logits[0]->fill(inputs[0]->values());
    runOn(hostCuda(), {"logSoftmax", {}, {c.inputs[0]}, {c.inputs[0]}}, logits, {inputs[0]});
  }
  if (c.kernel == "batchNormBackward") {
    for (int64_t i = 0; i < inputs[3]->tensor().size(); ++i) inputs[3]->set(i, std::fabs(inputs[3]->get(i)) + 0.1);
  }
}

/** Runs `c` on the host bodies, and with the same numbers in float32 on the cpu backend; compares the outputs. */
void compare(const KernelCase& c, double tolerance, std::mt19937& random) {
  const KernelCase wide = withFloats(c, DType::kFloat32);
  const size_t shift = pick(random, 0, 3) == 0 ? 1 : 0;
  Memories inputs, outputs, wideInputs, wideOutputs;
  for (const TensorDesc& t : c.inputs) inputs.push_back(std::make_shared<Memory>(t, shift));
  for (const TensorDesc& t : c.outputs) outputs.push_back(std::make_shared<Memory>(t, shift));
  prepareInputs(c, inputs, random);
  for (size_t i = 0; i < inputs.size(); ++i) {
    TensorDesc t = inputs[i]->tensor();
    if (isFloat(t.dtype)) t.dtype = DType::kFloat32;
    wideInputs.push_back(std::make_shared<Memory>(t));
    wideInputs.back()->fill(inputs[i]->values());
  }
  KernelCase expected = wide;
  for (auto* list : {&expected.inputs, &expected.outputs}) {
    for (TensorDesc& t : *list) {
      if (isFloat(t.dtype)) t.dtype = DType::kFloat32;
    }
  }
  for (const TensorDesc& t : expected.outputs) wideOutputs.push_back(std::make_shared<Memory>(t));
  runOn(cpuBackend(), expected, wideInputs, wideOutputs);
  // In place: an output takes the storage of an input of its size and dtype.
  const KernelEntry::InPlace inPlace = findKernel(c.kernel)->inPlace;
  if (inPlace && pick(random, 0, 1)) {
    const StepDesc step{
        c.kernel, c.attributes, std::vector<int64_t>(inputs.size()), std::vector<int64_t>(outputs.size()), "", ""};
    for (size_t o = 0; o < outputs.size(); ++o) {
      for (size_t i = 0; i < inputs.size(); ++i) {
        const bool taken = std::find(outputs.begin(), outputs.end(), inputs[i]) != outputs.end();
        if (!taken && inputs[i]->tensor() == outputs[o]->tensor() && inPlace(step, o, i)) {
          outputs[o] = inputs[i];
          break;
        }
      }
    }
  }
  runOn(hostCuda(), c, inputs, outputs);
  for (size_t o = 0; o < outputs.size(); ++o) {
    Memory rounded(outputs[o]->tensor());
    rounded.fill(wideOutputs[o]->values());
    checkClose(outputs[o]->values(), rounded.values(), tolerance, describe(c) + ", output " + std::to_string(o));
  }
}

Test like(const std::string& kernel, DType type, unsigned seed) {
  return {"random: " + kernel + " in " + nameOf(type) + " is as on the cpu", [=] {
            std::mt19937 random(seed);
            for (int i = 0; i < kCases; ++i) {
              KernelCase c = withFloats(randomCase(kernel, random), type);
              if (kernel.rfind("elementwise", 0) == 0) c = exactProgram(c);
              double tolerance = toleranceOf(c);
              // One rounding at the end may fall to the other side.
              if (tolerance > 0 && type == DType::kBfloat16) tolerance = 0x1p-7;
              if (tolerance > 0 && type == DType::kFloat16) tolerance = 0x1p-10;
              try {
                compare(c, tolerance, random);
              } catch (const Error& error) {
                check(false, describe(c) + ": " + error.code() + " " + error.what());
              }
            }
          }};
}

/** Programs with all opcodes: what they compute is compared opcode by opcode elsewhere, this is about memory. */
Test anyProgram() {
  return {"random: elementwise with any opcodes", [] {
            std::mt19937 random(7);
            for (int i = 0; i < 200; ++i) {
              const KernelCase c = randomCase("elementwise", random);
              Memories inputs, outputs;
              for (const TensorDesc& t : c.inputs) inputs.push_back(std::make_shared<Memory>(t));
              for (const TensorDesc& t : c.outputs) outputs.push_back(std::make_shared<Memory>(t));
              prepareInputs(c, inputs, random);
              runOn(hostCuda(), c, inputs, outputs);
            }
          }};
}

/** An operand that no longer fits: refused in the cpu backend's words, or run on both. */
Test spoiled(const std::string& kernel, unsigned seed) {
  return {"random: " + kernel + " with operands that do not fit is refused as on the cpu", [=] {
            std::mt19937 random(seed);
            int refused = 0;
            for (int i = 0; i < kSpoiledCases; ++i) {
              const KernelCase c = spoiledCase(kernel, random);
              Memories inputs, outputs;
              for (const TensorDesc& t : c.inputs) inputs.push_back(std::make_shared<Memory>(t));
              for (const TensorDesc& t : c.outputs) outputs.push_back(std::make_shared<Memory>(t));
              for (const auto& m : inputs) randomize(*m, c.indexBound, random);
              std::string words[2];
              Backend* backends[] = {&cpuBackend(), &hostCuda()};
              for (int b = 0; b < 2; ++b) {
                try {
                  runOn(*backends[b], c, inputs, outputs);
                } catch (const Error& error) {
                  words[b] = error.code() + " " + error.what();
                }
              }
              refused += !words[0].empty();
              check(words[0] == words[1], describe(c) + ": cpu says '" + words[0] + "', cuda says '" + words[1] + "'");
            }
            check(refused > 0 || kernel == "random", "nothing was refused");
          }};
}

}  // namespace

std::vector<Test> randomKernelTests() {
  std::vector<Test> tests;
  unsigned seed = 1;
  for (const std::string& kernel : kernelNames()) {
    if (!isOurs(kernel)) continue;
    for (DType type : {DType::kFloat32, DType::kBfloat16, DType::kFloat16}) tests.push_back(like(kernel, type, seed++));
    tests.push_back(spoiled(kernel, seed++));
  }
  tests.push_back(anyProgram());
  return tests;
}

}  // namespace fovea::test
