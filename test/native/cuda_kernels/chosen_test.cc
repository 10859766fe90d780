#include <cmath>
#include <limits>

#include "core/elementwise_program.h"
#include "cuda/kernels/divide.h"
#include "native/cuda_kernels/host_kernels.h"

/** @file Chosen cases: opcodes one by one, shapes that take many blocks and chunks, limits, faults. */
namespace fovea::test {
namespace {

const double kInf = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

TensorDesc f32(Dims dims) { return {DType::kFloat32, std::move(dims)}; }
TensorDesc i32(Dims dims) { return {DType::kInt32, std::move(dims)}; }

Memories makeAll(const std::vector<TensorDesc>& list) {
  Memories memories;
  for (const TensorDesc& t : list) memories.push_back(std::make_shared<Memory>(t));
  return memories;
}

/** Random inputs, both backends, outputs compared. */
void likeCpu(const KernelCase& c, double tolerance, const std::function<void(Memories&)>& change = {}) {
  std::mt19937 random(3);
  Memories inputs = makeAll(c.inputs), received = makeAll(c.outputs), expected = makeAll(c.outputs);
  for (const auto& m : inputs) randomize(*m, c.indexBound, random);
  if (change) change(inputs);
  runOn(cpuBackend(), c, inputs, expected);
  runOn(hostCuda(), c, inputs, received);
  for (size_t o = 0; o < received.size(); ++o) {
    checkClose(received[o]->values(), expected[o]->values(), tolerance, describe(c) + ", output " + std::to_string(o));
  }
}

KernelCase program(bool int32, const std::vector<std::string>& opcodes, const std::vector<double>& args,
                   const std::vector<double>& params, const std::vector<double>& results,
                   const std::vector<TensorDesc>& inputs, const std::vector<TensorDesc>& outputs) {
  return {"elementwise",
          {{"compute", std::string(int32 ? "int32" : "float")},
           {"opcodes", opcodes},
           {"args", args},
           {"params", params},
           {"results", results}},
          inputs,
          outputs};
}

/** One opcode over pairs of numbers, those of `values` with each other. */
void opcode(const OpInfo& op, bool int32, const std::vector<double>& values, double tolerance) {
  std::vector<double> a, b, c;
  for (double x : values) {
    for (double y : values) {
      a.push_back(x);
      b.push_back(y);
      c.push_back(x - y == 0 ? 0 : 1);
    }
  }
  const TensorDesc t = {int32 ? DType::kInt32 : DType::kFloat32, {static_cast<int64_t>(a.size())}};
  std::vector<double> args = {-1, -1, -1};
  for (int i = 0; i < op.arity; ++i) args[i] = i;
  const KernelCase kernel = program(int32, {op.name}, args, {-1.5, 2.5}, {3}, {t, t, t}, {t});
  likeCpu(kernel, tolerance, [&](Memories& inputs) {
    inputs[0]->fill(a);
    inputs[1]->fill(b);
    inputs[2]->fill(c);
  });
}

void allOpcodes() {
  const std::vector<double> floats = {
      0,     -0.0,  1,     -1,    0.5,   -0.5,  1.5, -1.5, 2.5,   -2.5, 3,   -3,           1e-3,          -1e-3,
      1e-8,  -1e-8, 7.25,  -7.25, 20.5,  -20.5, 88,  -88,  95,    -95,  104, -104,         1e10,          -1e10,
      1e-38, 3e38,  -3e38, 1e-41, 0.927, 100.5, 1e5, kInf, -kInf, kNan, 6,   2147483520.0, -2147483648.0, 4e9};
  const std::vector<double> whole = {0,  1,   -1,   2,     -2,    3,      -3,         7,
                                     -7, 100, -100, 46341, 65536, -65537, 2147483647, -2147483648.0};
  for (const OpInfo& op : kOps) {
    // Elementary functions: a few units in the last place between libraries; absolute below 1.
    opcode(op, false, floats, 1e-6);
    if (op.int32) opcode(op, true, whole, 0);
  }
}

void reductions() {
  struct Shape {
    Dims dims;
    std::vector<double> axes;
  };
  const std::vector<Shape> shapes = {{{70'000}, {0}},
                                     {{3, 5000, 40}, {1}},
                                     {{257, 300}, {0}},
                                     {{257, 300}, {1}},
                                     {{2, 9, 11, 130}, {1, 2}},
                                     {{2, 9, 11, 130}, {0, 2}},
                                     {{4, 50, 6, 70}, {1, 3}},
                                     {{30'000, 3}, {0}},
                                     {{30'000, 3}, {1}},
                                     {{1, 40'000, 1}, {0, 1}},
                                     {{5, 1, 7}, {}},
                                     {{0, 4}, {0}},
                                     {{4, 0}, {1}}};
  for (const Shape& s : shapes) {
    Dims kept;
    for (size_t i = 0; i < s.dims.size(); ++i) {
      if (std::find(s.axes.begin(), s.axes.end(), static_cast<double>(i)) == s.axes.end()) kept.push_back(s.dims[i]);
    }
    for (const char* mode : {"sum", "mean", "max", "min", "prod"}) {
      for (DType type : {DType::kFloat32, DType::kInt32}) {
        if (type == DType::kInt32 && std::string(mode) == "mean") continue;
        const KernelCase c = {"reduce",
                              {{"mode", std::string(mode)}, {"axes", s.axes}},
                              {{type, s.dims}},
                              {{type, kept}},
                              2};  // No product of 0 and 1 overflows.
        likeCpu(c, 1e-5);
      }
    }
  }
  // NaN, wherever it is.
  for (int64_t at : {0, 1, 4999, 69'999}) {
    for (const char* mode : {"max", "min"}) {
      likeCpu({"reduce", {{"mode", std::string(mode)}, {"axes", std::vector<double>{0}}}, {f32({70'000})}, {f32({})}},
              0, [&](Memories& inputs) { inputs[0]->set(at, kNan); });
    }
  }
}

void argMaxima() {
  for (const Dims& dims : {Dims{5, 3000}, Dims{3000, 5}, Dims{2, 700, 33}}) {
    for (size_t axis = 0; axis < dims.size(); ++axis) {
      Dims out = dims;
      out.erase(out.begin() + static_cast<int64_t>(axis));
      for (double special : {kNan, kInf, -kInf}) {
        likeCpu({"argMax", {{"axis", static_cast<double>(axis)}}, {f32(dims)}, {i32(out)}}, 0, [&](Memories& inputs) {
          const int64_t n = inputs[0]->tensor().size();
          for (int64_t i = 7; i < n; i += 501) inputs[0]->set(i, special);
        });
      }
    }
  }
}

/** mean 100, deviation 0.6 holds 1e-4: docs/kernels.md. */
void batchNormFarFromZero() {
  for (const Dims& dims : {Dims{20'000, 5}, Dims{4, 31, 33, 70}}) {
    const TensorDesc x = f32(dims), c = f32({dims.back()});
    const int64_t m = x.size() / dims.back();
    Memories inputs = makeAll({x, c, c}), outputs = makeAll({x, c, c});
    std::mt19937 random(5);
    std::normal_distribution<double> normal(100, 0.6);
    for (int64_t i = 0; i < x.size(); ++i) inputs[0]->set(i, normal(random));
    for (int64_t j = 0; j < dims.back(); ++j) {
      inputs[1]->set(j, 1);
      inputs[2]->set(j, 0);
    }
    // An outlier in the first row must not cost the others their accuracy.
    inputs[0]->set(0, 0);
    runOn(hostCuda(), {"batchNorm", {{"epsilon", 1e-3}, {"activation", std::string("linear")}}, {x, c, c}, {x, c, c}},
          inputs, outputs);
    for (int64_t j = 0; j < dims.back(); ++j) {
      double mean = 0, variance = 0;
      for (int64_t i = 0; i < m; ++i) mean += inputs[0]->get(i * dims.back() + j) / static_cast<double>(m);
      for (int64_t i = 0; i < m; ++i) {
        variance += std::pow(inputs[0]->get(i * dims.back() + j) - mean, 2) / static_cast<double>(m);
      }
      check(std::fabs(outputs[1]->get(j) - mean) < 1e-5, "mean");
      check(std::fabs(outputs[2]->get(j) - variance) < 1e-6 * std::max(1.0, variance), "variance");
      for (int64_t i = 0; i < m; ++i) {
        const double expected = (inputs[0]->get(i * dims.back() + j) - mean) / std::sqrt(variance + 1e-3);
        check(std::fabs(outputs[0]->get(i * dims.back() + j) - expected) < 1e-4, "y");
      }
    }
  }
}

void batchNormMany() {
  for (const Dims& dims : {Dims{3, 40, 50, 37}, Dims{9000, 2}, Dims{2, 300}, Dims{1, 1}}) {
    const TensorDesc x = f32(dims), c = f32({dims.back()});
    likeCpu({"batchNorm", {{"epsilon", 1e-3}, {"activation", std::string("relu")}}, {x, c, c}, {x, c, c}}, 2e-5);
    likeCpu({"batchNormBackward", {{"epsilon", 1e-3}}, {x, c, c, c, x, x}, {x, c, c}}, 5e-5, [](Memories& inputs) {
      for (int64_t j = 0; j < inputs[3]->tensor().size(); ++j) inputs[3]->set(j, std::fabs(inputs[3]->get(j)) + 0.1);
    });
  }
}

void lrnBeyondSharedMemory() {
  for (double radius : {2.0, 40.0, 7000.0}) {
    const int64_t channels = radius > 1000 ? 7500 : 90;
    const TensorDesc x = f32({radius > 1000 ? 1 : 50, channels});
    for (double beta : {0.75, 0.5, 1.0, 0.6}) {
      if (radius > 1000 && beta != 0.5) continue;
      const Attributes a = {{"depthRadius", radius}, {"bias", 1.5}, {"alpha", 0.01}, {"beta", beta}};
      likeCpu({"lrn", a, {x}, {x}}, 1e-5);
      // One term of the gradient at a time is squared work: no such radius in the tests but a short row.
      if (radius < 1000) likeCpu({"lrnBackward", a, {x, x}, {x}}, 1e-5);
    }
  }
  // The path without shared memory, on a device that has next to none.
  const cuda::DeviceProperties before = hostCuda().context().properties();
  cuda::DeviceProperties small = before;
  small.sharedBytesPerBlock = 1024;
  hostCuda().context().become(small);
  const TensorDesc x = f32({50, 90});
  likeCpu({"lrnBackward", {{"depthRadius", 3.0}, {"bias", 1.5}, {"alpha", 0.1}, {"beta", 0.75}}, {x, x}, {x}}, 1e-5);
  hostCuda().context().become(before);
}

void softmaxWide() {
  for (const Dims& dims : {Dims{3, 5000}, Dims{2000, 10}, Dims{700, 1}, Dims{300, 33}}) {
    const TensorDesc x = f32(dims), n = f32({dims[0]}), labels = i32({dims[0]});
    const int64_t c = dims[1];
    likeCpu({"softmax", {}, {x}, {x}}, 1e-6);
    likeCpu({"logSoftmax", {}, {x}, {x}}, 1e-6);
    likeCpu({"softmaxBackward", {}, {x, x}, {x}}, 1e-4);
    likeCpu({"logSoftmaxBackward", {}, {x, x}, {x}}, 1e-4);
    likeCpu({"sparseSoftmaxCrossEntropy", {}, {x, labels}, {n}, c}, 1e-6);
    likeCpu({"sparseSoftmaxCrossEntropyBackward", {}, {x, labels, n}, {x}, c}, 1e-6);
    likeCpu({"softmaxCrossEntropy", {}, {x, x}, {n}}, 1e-4);
    likeCpu({"softmaxCrossEntropyBackward", {}, {x, x, n}, {x}}, 1e-4);
  }
  // Nothing overflows.
  const TensorDesc x = f32({1, 3});
  likeCpu({"softmax", {}, {x}, {x}}, 1e-6, [](Memories& inputs) { inputs[0]->fill({1000, 999, -1000}); });
}

void movement() {
  const std::vector<std::pair<Dims, Dims>> transposes = {
      {{70, 45}, {1, 0}},           {{2, 70, 45}, {0, 2, 1}},       {{3, 3, 40, 50}, {3, 0, 1, 2}},
      {{5, 6, 7, 8}, {3, 2, 1, 0}}, {{4, 33, 2, 65}, {0, 3, 2, 1}}, {{2, 3, 4, 5}, {1, 0, 2, 3}}};
  for (DType type : {DType::kFloat32, DType::kUint8, DType::kBfloat16}) {
    for (const auto& [dims, perm] : transposes) {
      Dims out;
      for (int64_t axis : perm) out.push_back(dims[axis]);
      likeCpu({"transpose", {{"perm", std::vector<double>(perm.begin(), perm.end())}}, {{type, dims}}, {{type, out}}},
              0);
    }
    // Whole rows of 16 bytes, and rows that are not.
    for (int64_t c : {16, 5}) {
      likeCpu({"pad",
               {{"before", std::vector<double>{0, 1, 2, 0}}, {"value", 1.0}},
               {{type, {2, 5, 4, c}}},
               {{type, {2, 7, 9, c}}}},
              0);
      likeCpu({"slice", {{"begin", std::vector<double>{1, 2, 0, 0}}}, {{type, {3, 6, 4, c}}}, {{type, {2, 3, 4, c}}}},
              0);
      likeCpu({"concat", {{"axis", 3.0}}, {{type, {2, 3, 4, c}}, {type, {2, 3, 4, 16}}}, {{type, {2, 3, 4, c + 16}}}},
              0);
    }
  }
}

/** More registers than shared memory holds: they lie in the workspace. */
void manyRegisters() {
  constexpr int kCount = 150;
  std::vector<std::string> opcodes;
  std::vector<double> args, results;
  for (int i = 0; i < kCount; ++i) {  // r(i+1) = r(i) + r(0), all alive until
    opcodes.push_back("add");
    args.insert(args.end(), {static_cast<double>(i), 0, -1});
  }
  for (int i = 0; i < kCount; ++i) {  // their sum is built from the last to the first.
    opcodes.push_back("sub");
    args.insert(args.end(), {static_cast<double>(kCount + i), static_cast<double>(kCount - i), -1});
  }
  const std::vector<double> params(2 * opcodes.size(), 0);
  const TensorDesc t = f32({3001});
  KernelCase c = program(false, opcodes, args, params, {2.0 * kCount}, {t}, {t});
  likeCpu(c, 0);
  c.kernel = "elementwiseGroup";
  c.attributes["shared"] = 0.0;
  c.inputs = c.outputs = {t, f32({5}), t};
  likeCpu(c, 0);
}

void inputsOfAllKinds() {
  const TensorDesc y = f32({3, 4, 5, 6});
  // Scalar, periodic, along an inner axis, along an outer one, dense of other types.
  const std::vector<TensorDesc> inputs = {f32({}),
                                          f32({6}),
                                          f32({5, 1}),
                                          f32({3, 1, 1, 1}),
                                          f32({4, 1, 6}),
                                          {DType::kUint8, {3, 4, 5, 6}},
                                          {DType::kBfloat16, {3, 1, 5, 1}},
                                          {DType::kFloat16, {5, 6}},
                                          {DType::kInt32, {1, 1, 1, 1}}};
  std::vector<std::string> opcodes;
  std::vector<double> args;
  const auto k = static_cast<double>(inputs.size());
  for (double i = 1; i < k; ++i) {
    opcodes.push_back("add");
    args.insert(args.end(), {i == 1 ? 0 : k + i - 2, i, -1});
  }
  likeCpu(program(false, opcodes, args, std::vector<double>(2 * opcodes.size(), 0), {2 * k - 2, 1}, inputs,
                  {y, {DType::kBfloat16, y.dims}}),
          0);
}

/** More groups than the arguments of one launch hold, some of them empty, read in different ways. */
void manyGroups() {
  for (bool int32 : {false, true}) {
    for (int64_t groups : {1, 95, 96, 97, 400}) {
      const DType type = int32 ? DType::kInt32 : DType::kFloat32;
      // y = rate * a + b and a - b, with a shared rate.
      KernelCase c = program(int32, {"mul", "add", "sub"}, {0, 1, -1, 3, 2, -1, 1, 2, -1}, {0, 0, 0, 0, 0, 0}, {4, 5},
                             {{type, {}}}, {});
      c.kernel = "elementwiseGroup";
      c.attributes["shared"] = 1.0;
      c.indexBound = 1000;
      for (int64_t g = 0; g < groups; ++g) {
        const Dims dims = g % 7 == 3 ? Dims{0} : g % 50 == 4 ? Dims{41, 130} : Dims{1 + g % 13, 1 + g % 5};
        const Dims row = g % 3 == 0 && dims.size() == 2 ? Dims{dims[1]} : dims;
        c.inputs.insert(c.inputs.end(), {{type, dims}, {type, row}});
        c.outputs.insert(c.outputs.end(), {{type, dims}, {type, dims}});
      }
      likeCpu(c, 0);
    }
  }
}

/** Each group of a call is what `elementwise` makes of its operands, to the bit. */
void groupsAlone() {
  std::mt19937 random(11);
  for (int i = 0; i < 100; ++i) {
    const KernelCase c = randomCase("elementwiseGroup", random);
    const auto shared = static_cast<size_t>(std::get<double>(c.attributes.at("shared")));
    const size_t perGroup = std::get<std::vector<double>>(c.attributes.at("results")).size();
    const size_t groups = c.outputs.size() / perGroup, own = (c.inputs.size() - shared) / groups;
    Memories inputs = makeAll(c.inputs);
    for (const auto& m : inputs) randomize(*m, c.indexBound, random);
    for (Backend* backend : {&cpuBackend(), static_cast<Backend*>(&hostCuda())}) {
      const Memories outputs = makeAll(c.outputs);
      runOn(*backend, c, inputs, outputs);
      for (size_t g = 0; g < groups; ++g) {
        KernelCase alone{"elementwise", c.attributes, {}, {}};
        alone.attributes.erase("shared");
        Memories operands(inputs.begin(), inputs.begin() + static_cast<int64_t>(shared));
        for (size_t k = 0; k < own; ++k) operands.push_back(inputs[shared + g * own + k]);
        for (const auto& m : operands) alone.inputs.push_back(m->tensor());
        for (size_t j = 0; j < perGroup; ++j) alone.outputs.push_back(c.outputs[g * perGroup + j]);
        const Memories expected = makeAll(alone.outputs);
        runOn(*backend, alone, operands, expected);
        for (size_t j = 0; j < perGroup; ++j) {
          checkClose(outputs[g * perGroup + j]->values(), expected[j]->values(), 0, describe(c));
        }
      }
    }
  }
}

void scatterOften() {
  for (const auto& [axis, inner, outer] : {std::array<int64_t, 3>{5, 7, 1}, {3000, 16, 1}, {40, 1, 300}, {2, 700, 2}}) {
    likeCpu(
        {"scatterAdd", {{"axis", 1.0}}, {i32({1000}), f32({outer, 1000, inner})}, {f32({outer, axis, inner})}, axis},
        0);
    likeCpu({"gather", {{"axis", 1.0}}, {f32({outer, axis, inner}), i32({1000})}, {f32({outer, 1000, inner})}, axis},
            0);
  }
}

void randomNumbers() {
  const KernelCase uniform = {"random",
                              {{"distribution", std::string("uniform")}, {"a", -1.0}, {"b", 3.0}},
                              {i32({4})},
                              {f32({5003})},
                              1 << 30};
  likeCpu(uniform, 0);
  KernelCase narrow = uniform;  // Rounding reaches b.
  narrow.attributes["a"] = 16777215.0;
  narrow.attributes["b"] = 16777216.0;
  likeCpu(narrow, 0);
  for (DType type : {DType::kFloat32, DType::kBfloat16}) {
    likeCpu({"dropout", {{"rate", 0.3}}, {{type, {5003}}, i32({4})}, {{type, {5003}}}, 1 << 30}, 0);
  }
}

/** The text of the error that running `c` ends in; the first of several wrong indices is named. */
std::string faultOf(Backend& backend, const KernelCase& c, size_t indices) {
  Memories inputs = makeAll(c.inputs), outputs = makeAll(c.outputs);
  std::mt19937 random(1);
  for (const auto& m : inputs) randomize(*m, 3, random);
  inputs[indices]->set(7, -5);
  inputs[indices]->set(4, 12);
  try {
    runOn(backend, c, inputs, outputs);
  } catch (const Error& error) {
    return error.code() + " " + error.what();
  }
  return "nothing";
}

void faults() {
  const TensorDesc x = f32({10, 6}), n = f32({10}), indices = i32({10});
  const std::vector<std::pair<KernelCase, size_t>> cases = {
      {{"sparseSoftmaxCrossEntropy", {}, {x, indices}, {n}}, 1},
      {{"sparseSoftmaxCrossEntropyBackward", {}, {x, indices, n}, {x}}, 1},
      {{"gather", {{"axis", 0.0}}, {x, indices}, {x}}, 1},
      {{"scatterAdd", {{"axis", 0.0}}, {indices, x}, {x}}, 0}};
  for (const auto& [c, operand] : cases) {
    const std::string cpu = faultOf(cpuBackend(), c, operand), cuda = faultOf(hostCuda(), c, operand);
    check(cpu == cuda, "cpu says '" + cpu + "', cuda says '" + cuda + "'");
    check(cuda.rfind("ERR_EXECUTION", 0) == 0 && cuda.find("12") != std::string::npos, cuda);
    check(faultOf(hostCuda(), c, operand) == cuda, "the same again");
  }
}

/** Sums have the same bits whatever the device's size. */
void sameOnEveryDevice() {
  const cuda::DeviceProperties before = hostCuda().context().properties();
  const TensorDesc x = f32({7, 900, 37}), c = f32({37});
  const std::vector<KernelCase> cases = {
      {"reduce", {{"mode", std::string("sum")}, {"axes", std::vector<double>{0, 1}}}, {x}, {c}},
      {"batchNorm", {{"epsilon", 1e-3}, {"activation", std::string("linear")}}, {x, c, c}, {x, c, c}},
      {"scatterAdd", {{"axis", 0.0}}, {i32({900}), f32({900, 37})}, {f32({7, 37})}, 7}};
  for (const KernelCase& kernel : cases) {
    std::mt19937 random(2);
    Memories inputs = makeAll(kernel.inputs);
    for (const auto& m : inputs) randomize(*m, kernel.indexBound, random);
    std::vector<std::vector<double>> results;
    for (int multiprocessors : {1, 20, 132}) {
      cuda::DeviceProperties properties = before;
      properties.multiprocessors = multiprocessors;
      hostCuda().context().become(properties);
      Memories outputs = makeAll(kernel.outputs);
      runOn(hostCuda(), kernel, inputs, outputs);
      std::vector<double> all;
      for (const auto& o : outputs) {
        const std::vector<double> values = o->values();
        all.insert(all.end(), values.begin(), values.end());
      }
      results.push_back(std::move(all));
    }
    hostCuda().context().become(before);
    check(results[0] == results[1] && results[0] == results[2], describe(kernel));
  }
}

void divisors() {
  std::mt19937_64 random(4);
  const auto divides = [](int64_t n, int64_t d) {
    check(cuda::Divisor(d).quotient(n) == n / d, std::to_string(n) + " / " + std::to_string(d));
  };
  const std::vector<int64_t> edges = {1,
                                      2,
                                      3,
                                      5,
                                      7,
                                      641,
                                      65'535,
                                      65'536,
                                      65'537,
                                      0x3fffffff,
                                      0x40000000,
                                      0x40000001,
                                      0x7ffffffe,
                                      0x7fffffff,
                                      0x80000000,
                                      0x80000001,
                                      0xffffffff,
                                      0x100000001,
                                      int64_t{1} << 40};
  for (int64_t d : edges) {
    for (int64_t n : edges) {
      for (int64_t near : {n - 1, n, n + 1, n / d * d, n / d * d + d - 1}) divides(near, d);
    }
    divides(0, d);
  }
  for (int i = 0; i < 200'000; ++i) {
    const int64_t d = 1 + static_cast<int64_t>(random() >> (1 + random() % 63) >> 1);
    divides(static_cast<int64_t>(random() >> (1 + random() % 62)), d);
  }
}

}  // namespace

std::vector<Test> chosenKernelTests() {
  return {
      {"chosen: divisions by multiplication", divisors},
      {"chosen: every opcode over special numbers", allOpcodes},
      {"chosen: inputs of all kinds and types in one program", inputsOfAllKinds},
      {"chosen: a program of more registers than shared memory holds", manyRegisters},
      {"chosen: a program over more groups than a launch has arguments for", manyGroups},
      {"chosen: groups are what elementwise makes of each of them", groupsAlone},
      {"chosen: reductions of many chunks and of nothing", reductions},
      {"chosen: argMax of long axes with NaN and infinities", argMaxima},
      {"chosen: batchNorm far from zero", batchNormFarFromZero},
      {"chosen: batchNorm over many chunks", batchNormMany},
      {"chosen: lrn of wide windows", lrnBeyondSharedMemory},
      {"chosen: softmax and cross-entropies of wide and of narrow rows", softmaxWide},
      {"chosen: moving elements by tiles and wide words", movement},
      {"chosen: gather and scatterAdd of many indices", scatterOften},
      {"chosen: uniform numbers and dropout are the cpu's bit for bit", randomNumbers},
      {"chosen: wrong labels and indices are named as on the cpu", faults},
      {"chosen: sums are the same on devices of any size", sameOnEveryDevice},
  };
}

}  // namespace fovea::test
