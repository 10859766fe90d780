#include "native/kernel_cases.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <stdexcept>

namespace fovea::test {
namespace {

using Random = std::mt19937;
using Numbers = std::vector<double>;

const DType kTypes[] = {DType::kFloat32, DType::kInt32, DType::kUint8, DType::kBool};

TensorDesc f32(Dims dims) { return {DType::kFloat32, std::move(dims)}; }
TensorDesc i32(Dims dims) { return {DType::kInt32, std::move(dims)}; }
std::string word(const char* text) { return text; }

/** Now and then empty, mostly small. */
int64_t batch(Random& r) { return pick(r, 0, 15) == 0 ? 0 : pick(r, 1, 3); }

/** One, a vector's width and its neighbours, or anything. */
int64_t channels(Random& r) {
  const int64_t some[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 64, 65};
  return some[pick(r, 0, 12)];
}

Dims dims(Random& r, int64_t leastRank, int64_t mostRank) {
  Dims d(pick(r, leastRank, mostRank));
  for (int64_t& n : d) n = pick(r, 0, 30) == 0 ? 0 : pick(r, 1, 9);
  return d;
}

DType anyType(Random& r) { return kTypes[pick(r, 0, 3)]; }
std::string activation(Random& r) { return pick(r, 0, 1) ? "relu" : "linear"; }

/** A window along height and width: sizes, strides, padding, and where it leads. */
struct Geometry {
  int64_t h, w, oh, ow;
  Numbers size, strides, dilations, padding;
};

Geometry geometry(Random& r, bool dilated) {
  for (;;) {
    Geometry g;
    g.h = pick(r, 1, 13), g.w = pick(r, 1, 13);
    g.size = {double(pick(r, 1, 5)), double(pick(r, 1, 5))};
    g.strides = {double(pick(r, 1, 3)), double(pick(r, 1, 3))};
    g.dilations = {1, 1};
    if (dilated && pick(r, 0, 2) == 0) g.dilations = {double(pick(r, 1, 3)), double(pick(r, 1, 3))};
    for (int i = 0; i < 4; ++i) g.padding.push_back(double(pick(r, 0, int64_t(g.size[i / 2]) - 1)));
    const auto out = [&](int64_t n, int i) {
      return (n + int64_t(g.padding[2 * i] + g.padding[2 * i + 1] - (g.size[i] - 1) * g.dilations[i]) - 1) /
                 int64_t(g.strides[i]) +
             1;
    };
    const bool fits = g.h + g.padding[0] + g.padding[1] >= (g.size[0] - 1) * g.dilations[0] + 1 &&
                      g.w + g.padding[2] + g.padding[3] >= (g.size[1] - 1) * g.dilations[1] + 1;
    g.oh = out(g.h, 0), g.ow = out(g.w, 1);
    if (fits && g.oh > 0 && g.ow > 0) return g;
  }
}

/** x, kernel, y and the attributes that all three convolution kernels have. */
struct ConvParts {
  TensorDesc x, kernel, y;
  Attributes attributes;
};

ConvParts conv(Random& r) {
  const Geometry g = geometry(r, true);
  const int64_t style = pick(r, 0, 3), n = batch(r);
  int64_t groups = 1, in = channels(r), out = channels(r);
  if (style == 0) groups = in, out = in * pick(r, 1, 2);  // depthwise
  if (style == 1) groups = pick(r, 2, 4), in = groups * pick(r, 1, 9), out = groups * pick(r, 1, 9);
  return {f32({n, g.h, g.w, in}),
          f32({int64_t(g.size[0]), int64_t(g.size[1]), in / groups, out}),
          f32({n, g.oh, g.ow, out}),
          {{"strides", g.strides}, {"dilations", g.dilations}, {"padding", g.padding}, {"groups", double(groups)}}};
}

KernelCase conv2d(Random& r) {
  ConvParts p = conv(r);
  p.attributes["activation"] = activation(r);
  KernelCase c{"", p.attributes, {p.x, p.kernel}, {p.y}};
  if (pick(r, 0, 1)) c.inputs.push_back(f32({p.y.dims[3]}));
  if (pick(r, 0, 2) == 0) {
    c.attributes["residual"] = true;
    c.inputs.push_back(p.y);
  }
  return c;
}

KernelCase conv2dBackwardInput(Random& r) {
  const ConvParts p = conv(r);
  return {"", p.attributes, {p.y, p.kernel}, {p.x}};
}

KernelCase conv2dBackwardKernel(Random& r) {
  const ConvParts p = conv(r);
  KernelCase c{"", p.attributes, {p.x, p.y}, {p.kernel}};
  if (pick(r, 0, 1)) c.outputs.push_back(f32({p.y.dims[3]}));
  return c;
}

/** A pooling kernel; which of x and y it takes is up to `operands`. */
KernelCase pool(Random& r, const std::function<void(KernelCase&, TensorDesc x, TensorDesc y)>& operands) {
  const Geometry g = geometry(r, false);
  const int64_t n = batch(r), c = channels(r);
  KernelCase result{"", {{"poolSize", g.size}, {"strides", g.strides}, {"padding", g.padding}}, {}, {}};
  operands(result, f32({n, g.h, g.w, c}), f32({n, g.oh, g.ow, c}));
  return result;
}

KernelCase batchNorm(Random& r) {
  const Dims d = {pick(r, 1, 3), pick(r, 1, 6), pick(r, 1, 6), channels(r)};
  const TensorDesc c = f32({d[3]});
  return {"", {{"epsilon", 1e-3}, {"activation", activation(r)}}, {f32(d), c, c}, {f32(d), c, c}};
}

KernelCase batchNormBackward(Random& r) {
  const Dims d = {pick(r, 1, 3), pick(r, 1, 6), pick(r, 1, 6), channels(r)};
  const TensorDesc c = f32({d[3]});
  KernelCase result{"", {{"epsilon", 1e-3}}, {f32(d), c, c, c, f32(d)}, {f32(d), c, c}};
  if (pick(r, 0, 1)) result.inputs.push_back(f32(d));
  return result;
}

KernelCase lrn(Random& r, int inputs) {
  const Dims d = {batch(r), pick(r, 1, 5), pick(r, 1, 5), channels(r)};
  return {"",
          {{"depthRadius", double(pick(r, 0, 6))}, {"bias", 1.5}, {"alpha", 0.1}, {"beta", 0.75}},
          std::vector<TensorDesc>(inputs, f32(d)),
          {f32(d)}};
}

KernelCase matmul(Random& r) {
  const bool ta = pick(r, 0, 1), tb = pick(r, 0, 1);
  const int64_t m = pick(r, 0, 3) == 0 ? 1 : pick(r, 1, 40), n = channels(r), k = pick(r, 0, 9) == 0 ? 0 : pick(r, 1, 40);
  Dims lead;
  for (int64_t i = pick(r, 0, 2); i > 0; --i) lead.push_back(pick(r, 1, 3));
  const auto with = [&](int64_t a, int64_t b) {
    Dims d = lead;
    d.insert(d.end(), {a, b});
    return f32(d);
  };
  KernelCase c{"",
               {{"transposeA", ta}, {"transposeB", tb}, {"activation", activation(r)}},
               {ta ? with(k, m) : with(m, k), tb ? with(n, k) : with(k, n)},
               {with(m, n)}};
  if (pick(r, 0, 1)) c.inputs.push_back(f32({n}));
  return c;
}

KernelCase rows(Random& r, int inputs) {
  Dims d = dims(r, 0, 3);
  d.push_back(channels(r));
  return {"", {}, std::vector<TensorDesc>(inputs, f32(d)), {f32(d)}};
}

KernelCase crossEntropy(Random& r, bool sparse, bool backward) {
  const int64_t n = batch(r), c = channels(r);
  KernelCase result{"", {}, {f32({n, c}), sparse ? i32({n}) : f32({n, c})}, {f32({n})}, c};
  if (backward) {
    result.inputs.push_back(f32({n}));
    result.outputs = {f32({n, c})};
  }
  return result;
}

/** The shape of an elementwise result. */
Dims elementwiseDims(Random& r) {
  Dims out = dims(r, 0, 4);
  if (!out.empty() && pick(r, 0, 2) == 0) out.back() = pick(r, 100, 3000);
  return out;
}

/** A shape that broadcasts to `out`: some dimensions 1, some leading ones left out. */
Dims broadcastable(Random& r, const Dims& out) {
  Dims d = out;
  if (pick(r, 0, 1)) {
    for (int64_t& n : d) n = pick(r, 0, 2) == 0 ? 1 : n;
    d.erase(d.begin(), d.begin() + pick(r, 0, static_cast<int64_t>(d.size())));
  }
  return d;
}

KernelCase elementwise(Random& r) {
  static const std::vector<std::string> floatUnary = {
      "identity", "neg",      "abs",      "sign", "exp",       "expm1", "log",   "log1p",     "sqrt",
      "rsqrt",    "square",   "floor",    "ceil", "sin",       "cos",   "erf",   "tanh",      "round",
      "sigmoid",  "relu",     "relu6",    "selu", "gelu",      "silu",  "toInt", "softplus",  "hardSigmoid",
      "isNaN",    "geluTanh", "isFinite", "not",  "leakyRelu", "elu",   "clip",  "reciprocal"};
  static const std::vector<std::string> intUnary = {"identity", "neg", "abs", "sign", "square", "not", "relu", "clip"};
  static const std::vector<std::string> floatBinary = {
      "add",   "sub",      "mul",     "div",          "pow",  "mod",       "floorDiv", "maximum", "minimum",
      "equal", "notEqual", "greater", "greaterEqual", "less", "lessEqual", "and",      "or",      "reluGrad"};
  static const std::vector<std::string> intBinary = {"add",     "sub",          "mul",       "mod",      "floorDiv",
                                                     "maximum", "minimum",      "equal",     "notEqual", "greater",
                                                     "less",    "greaterEqual", "lessEqual", "and",      "or"};
  const bool int32 = pick(r, 0, 3) == 0;
  const auto& unary = int32 ? intUnary : floatUnary;
  const auto& binary = int32 ? intBinary : floatBinary;
  const Dims out = elementwiseDims(r);

  KernelCase c;
  const int64_t inputs = pick(r, 0, 4);
  for (int64_t i = 0; i < inputs; ++i) {
    const Dims d = broadcastable(r, out);
    c.inputs.push_back({pick(r, 0, 3) ? (int32 ? DType::kInt32 : DType::kFloat32) : anyType(r), d});
  }
  std::vector<std::string> opcodes;
  Numbers args, params, results;
  for (int64_t i = pick(r, 1, 12); i > 0; --i) {
    const int64_t registers = inputs + static_cast<int64_t>(opcodes.size());
    const int64_t arity = registers == 0 ? 0 : pick(r, 0, 9) == 0 ? 3 : pick(r, 0, 2);
    if (arity == 0) opcodes.push_back("const");
    if (arity == 1) opcodes.push_back(unary[pick(r, 0, int64_t(unary.size()) - 1)]);
    if (arity == 2) opcodes.push_back(binary[pick(r, 0, int64_t(binary.size()) - 1)]);
    if (arity == 3) opcodes.push_back("select");
    for (int64_t a = 0; a < 3; ++a) args.push_back(a < arity ? double(pick(r, 0, registers - 1)) : -1);
    params.insert(params.end(), {double(pick(r, -2, 0)), double(pick(r, 1, 4))});
  }
  for (int64_t i = pick(r, 1, 3); i > 0; --i) {
    c.outputs.push_back({pick(r, 0, 3) ? (int32 ? DType::kInt32 : DType::kFloat32) : anyType(r), out});
    results.push_back(double(pick(r, 0, inputs + int64_t(opcodes.size()) - 1)));
  }
  c.attributes = {{"compute", word(int32 ? "int32" : "float")},
                  {"opcodes", opcodes},
                  {"args", args},
                  {"params", params},
                  {"results", results}};
  c.indexBound = 100;
  return c;
}

/** One program over one to six groups; the first inputs may be numbers that all groups read. */
KernelCase elementwiseGroup(Random& r) {
  const KernelCase one = elementwise(r);
  const size_t inputs = one.inputs.size(), shared = pick(r, 0, static_cast<int64_t>(inputs));
  KernelCase c{"", one.attributes, {}, {}, one.indexBound};
  c.attributes["shared"] = double(shared);
  for (size_t k = 0; k < shared; ++k) c.inputs.push_back({one.inputs[k].dtype, {}});
  for (int64_t groups = pick(r, 1, 6); groups > 0; --groups) {
    const Dims out = elementwiseDims(r);
    for (size_t k = shared; k < inputs; ++k) c.inputs.push_back({one.inputs[k].dtype, broadcastable(r, out)});
    for (const TensorDesc& t : one.outputs) c.outputs.push_back({t.dtype, out});
  }
  return c;
}

KernelCase reduce(Random& r) {
  static const char* modes[] = {"sum", "max", "min", "prod", "mean"};
  const Dims d = dims(r, 0, 4);
  const bool keep = pick(r, 0, 1);
  Numbers axes;
  Dims out;
  for (size_t i = 0; i < d.size(); ++i) {
    const bool reduced = pick(r, 0, 1);
    if (reduced) axes.push_back(double(i));
    if (!reduced) out.push_back(d[i]);
    if (reduced && keep) out.push_back(1);
  }
  const char* mode = modes[pick(r, 0, 4)];
  const DType type = word(mode) != "mean" && pick(r, 0, 2) == 0 ? DType::kInt32 : DType::kFloat32;
  // No product of them overflows, which C++ leaves undefined.
  const int64_t bound = word(mode) == "prod" ? 2 : 50;
  return {"", {{"mode", word(mode)}, {"axes", axes}}, {{type, d}}, {{type, out}}, bound};
}

KernelCase argMax(Random& r) {
  Dims d = dims(r, 1, 4);
  const int64_t axis = pick(r, 0, int64_t(d.size()) - 1);
  d[axis] = pick(r, 1, 20);
  Dims out = d;
  out.erase(out.begin() + axis);
  return {"", {{"axis", double(axis)}}, {{pick(r, 0, 1) ? DType::kFloat32 : DType::kInt32, d}}, {i32(out)}, 50};
}

KernelCase concat(Random& r) {
  Dims d = dims(r, 1, 4);
  const int64_t axis = pick(r, 0, int64_t(d.size()) - 1);
  const DType type = anyType(r);
  KernelCase c{"", {{"axis", double(axis)}}, {}, {}};
  int64_t total = 0;
  for (int64_t i = pick(r, 1, 4); i > 0; --i) {
    d[axis] = pick(r, 0, 5);
    total += d[axis];
    c.inputs.push_back({type, d});
  }
  d[axis] = total;
  c.outputs = {{type, d}};
  return c;
}

/** slice and pad: a smaller shape at a place within a larger one. */
KernelCase within(Random& r, const char* place, bool pad) {
  const Dims large = dims(r, 0, 4);
  Dims small = large;
  Numbers begin;
  for (int64_t& n : small) {
    const int64_t size = pick(r, 0, n);
    begin.push_back(double(pick(r, 0, n - size)));
    n = size;
  }
  const DType type = anyType(r);
  KernelCase c{"", {{place, begin}}, {{type, pad ? small : large}}, {{type, pad ? large : small}}};
  if (pad) c.attributes["value"] = double(pick(r, 0, 1));
  return c;
}

KernelCase transpose(Random& r) {
  const Dims d = dims(r, 0, 5);
  std::vector<int64_t> perm(d.size());
  std::iota(perm.begin(), perm.end(), 0);
  std::shuffle(perm.begin(), perm.end(), r);
  Dims out;
  for (int64_t axis : perm) out.push_back(d[axis]);
  const DType type = anyType(r);
  return {"", {{"perm", Numbers(perm.begin(), perm.end())}}, {{type, d}}, {{type, out}}};
}

KernelCase oneHot(Random& r) {
  const Dims d = dims(r, 0, 3);
  Dims out = d;
  out.push_back(pick(r, 1, 20));
  // Some indices lie outside the depth, which makes zeros.
  return {"", {}, {i32(d)}, {{pick(r, 0, 1) ? DType::kFloat32 : DType::kBool, out}}, 25};
}

/** gather's x, indices and y. */
std::vector<TensorDesc> gatherParts(Random& r, int64_t& axis) {
  Dims x = dims(r, 1, 3);
  axis = pick(r, 0, int64_t(x.size()) - 1);
  x[axis] = pick(r, 1, 12);
  const Dims indices = dims(r, 0, 2);
  Dims y(x.begin(), x.begin() + axis);
  y.insert(y.end(), indices.begin(), indices.end());
  y.insert(y.end(), x.begin() + axis + 1, x.end());
  return {f32(x), i32(indices), f32(y)};
}

KernelCase gather(Random& r) {
  int64_t axis;
  const auto p = gatherParts(r, axis);
  return {"", {{"axis", double(axis)}}, {p[0], p[1]}, {p[2]}, p[0].dims[axis]};
}

KernelCase scatterAdd(Random& r) {
  int64_t axis;
  const auto p = gatherParts(r, axis);
  return {"", {{"axis", double(axis)}}, {p[1], p[2]}, {p[0]}, p[0].dims[axis]};
}

KernelCase resize(Random& r) {
  const int64_t n = batch(r), c = channels(r);
  const TensorDesc x = f32({n, pick(r, 1, 9), pick(r, 1, 9), c}), y = f32({n, pick(r, 1, 19), pick(r, 1, 19), c});
  Attributes attributes;
  for (int axis : {1, 2}) {
    const int64_t size = x.dims[axis], taps = pick(r, 1, size);
    std::vector<double> starts, weights;
    for (int64_t i = 0; i < y.dims[axis]; ++i) {
      starts.push_back(static_cast<double>(pick(r, 0, size - taps)));
      for (int64_t k = 0; k < taps; ++k) weights.push_back(static_cast<double>(pick(r, -2, 3)) * 0.5);
    }
    const std::string name = axis == 1 ? "row" : "column";
    attributes[name + "Starts"] = starts;
    attributes[name + "Weights"] = weights;
  }
  return {"", attributes, {x}, {y}};
}

KernelCase dropout(Random& r) {
  const Dims d = dims(r, 0, 4);
  return {"", {{"rate", pick(r, 0, 9) * 0.1}}, {f32(d), i32({4})}, {f32(d)}, 1 << 30};
}

KernelCase random(Random& r) {
  static const char* kinds[] = {"uniform", "normal", "truncatedNormal"};
  const char* kind = kinds[pick(r, 0, 2)];
  return {"", {{"distribution", word(kind)}, {"a", -1.0}, {"b", 2.0}}, {i32({4})}, {f32(dims(r, 0, 4))}, 1 << 30};
}

KernelCase copy(Random& r) {
  const TensorDesc t = {anyType(r), dims(r, 0, 4)};
  return {"", {}, {t}, {t}};
}

using Maker = std::function<KernelCase(Random&)>;

const std::map<std::string, Maker>& makers() {
  static const std::map<std::string, Maker> table = {
      {"argMax", argMax},
      {"avgPool2d",
       [](Random& r) { return pool(r, [](auto& c, auto x, auto y) { c.inputs = {x}, c.outputs = {y}; }); }},
      {"avgPool2dBackward",
       [](Random& r) { return pool(r, [](auto& c, auto x, auto y) { c.inputs = {y}, c.outputs = {x}; }); }},
      {"batchNorm", batchNorm},
      {"batchNormBackward", batchNormBackward},
      {"concat", concat},
      {"conv2d", conv2d},
      {"conv2dBackwardInput", conv2dBackwardInput},
      {"conv2dBackwardKernel", conv2dBackwardKernel},
      {"copy", copy},
      {"dropout", dropout},
      {"elementwise", elementwise},
      {"elementwiseGroup", elementwiseGroup},
      {"gather", gather},
      {"logSoftmax", [](Random& r) { return rows(r, 1); }},
      {"logSoftmaxBackward", [](Random& r) { return rows(r, 2); }},
      {"lrn", [](Random& r) { return lrn(r, 1); }},
      {"lrnBackward", [](Random& r) { return lrn(r, 2); }},
      {"matmul", matmul},
      {"maxPool2d",
       [](Random& r) { return pool(r, [](auto& c, auto x, auto y) { c.inputs = {x}, c.outputs = {y}; }); }},
      {"maxPool2dBackward",
       [](Random& r) { return pool(r, [](auto& c, auto x, auto y) {
                         c.inputs = {x, y, y}, c.outputs = {x};
                       }); }},
      {"oneHot", oneHot},
      {"pad", [](Random& r) { return within(r, "before", true); }},
      {"random", random},
      {"reduce", reduce},
      {"resize", resize},
      {"scatterAdd", scatterAdd},
      {"slice", [](Random& r) { return within(r, "begin", false); }},
      {"softmax", [](Random& r) { return rows(r, 1); }},
      {"softmaxBackward", [](Random& r) { return rows(r, 2); }},
      {"softmaxCrossEntropy", [](Random& r) { return crossEntropy(r, false, false); }},
      {"softmaxCrossEntropyBackward", [](Random& r) { return crossEntropy(r, false, true); }},
      {"sparseSoftmaxCrossEntropy", [](Random& r) { return crossEntropy(r, true, false); }},
      {"sparseSoftmaxCrossEntropyBackward", [](Random& r) { return crossEntropy(r, true, true); }},
      {"transpose", transpose},
  };
  return table;
}

}  // namespace

int64_t pick(std::mt19937& random, int64_t least, int64_t most) {
  return std::uniform_int_distribution<int64_t>(least, most)(random);
}

KernelCase randomCase(const std::string& kernel, std::mt19937& random) {
  const auto found = makers().find(kernel);
  if (found == makers().end()) throw std::logic_error("no random case of kernel " + kernel);
  KernelCase c = found->second(random);
  c.kernel = kernel;
  return c;
}

KernelCase spoiledCase(const std::string& kernel, std::mt19937& random) {
  KernelCase c = randomCase(kernel, random);
  auto& list = c.inputs.empty() || pick(random, 0, 1) ? c.outputs : c.inputs;
  TensorDesc& tensor = list[pick(random, 0, static_cast<int64_t>(list.size()) - 1)];
  const int64_t how = tensor.dims.empty() ? pick(random, 0, 1) : pick(random, 0, 4);
  if (how == 0) tensor.dims.insert(tensor.dims.begin(), 2);
  if (how == 1) tensor.dtype = pick(random, 0, 4) == 0 ? DType::kBfloat16 : anyType(random);
  if (how == 2) tensor.dims.pop_back();
  if (how >= 3) tensor.dims[pick(random, 0, tensor.rank() - 1)] += pick(random, 1, 3);
  return c;
}

}  // namespace fovea::test
