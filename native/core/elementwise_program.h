#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/check_operands.h"
#include "core/opcodes.h"

/** @file An elementwise program, checked: what is the same for every device before it compiles it its own way. */
namespace fovea {

struct OpInfo {
  const char* name;
  Op op;
  int arity;
  bool int32;  ///< Allowed with int32 compute.
  int cost;    ///< Roughly, in additions on a processor: decides when threads pay.
};

inline constexpr OpInfo kOps[] = {
    {"const", Op::kConst, 0, true, 1},
    {"identity", Op::kIdentity, 1, true, 1},
    {"neg", Op::kNeg, 1, true, 1},
    {"abs", Op::kAbs, 1, true, 1},
    {"sign", Op::kSign, 1, true, 1},
    {"exp", Op::kExp, 1, false, 6},
    {"expm1", Op::kExpm1, 1, false, 6},
    {"log", Op::kLog, 1, false, 8},
    {"log1p", Op::kLog1p, 1, false, 10},
    {"sqrt", Op::kSqrt, 1, false, 4},
    {"rsqrt", Op::kRsqrt, 1, false, 6},
    {"square", Op::kSquare, 1, true, 1},
    {"reciprocal", Op::kReciprocal, 1, false, 3},
    {"floor", Op::kFloor, 1, false, 1},
    {"ceil", Op::kCeil, 1, false, 1},
    {"round", Op::kRound, 1, false, 1},
    {"sin", Op::kSin, 1, false, 40},
    {"cos", Op::kCos, 1, false, 40},
    {"erf", Op::kErf, 1, false, 12},
    {"tanh", Op::kTanh, 1, false, 10},
    {"sigmoid", Op::kSigmoid, 1, false, 8},
    {"relu", Op::kRelu, 1, true, 1},
    {"relu6", Op::kRelu6, 1, false, 1},
    {"leakyRelu", Op::kLeakyRelu, 1, false, 1},
    {"elu", Op::kElu, 1, false, 8},
    {"selu", Op::kSelu, 1, false, 8},
    {"gelu", Op::kGelu, 1, false, 14},
    {"geluTanh", Op::kGeluTanh, 1, false, 14},
    {"softplus", Op::kSoftplus, 1, false, 16},
    {"silu", Op::kSilu, 1, false, 8},
    {"hardSigmoid", Op::kHardSigmoid, 1, false, 2},
    {"clip", Op::kClip, 1, true, 1},
    {"isNaN", Op::kIsNaN, 1, false, 1},
    {"isFinite", Op::kIsFinite, 1, false, 1},
    {"not", Op::kNot, 1, true, 1},
    {"add", Op::kAdd, 2, true, 1},
    {"sub", Op::kSub, 2, true, 1},
    {"mul", Op::kMul, 2, true, 1},
    {"div", Op::kDiv, 2, false, 3},
    {"pow", Op::kPow, 2, false, 60},
    {"mod", Op::kMod, 2, true, 40},
    {"floorDiv", Op::kFloorDiv, 2, true, 8},
    {"maximum", Op::kMaximum, 2, true, 1},
    {"minimum", Op::kMinimum, 2, true, 1},
    {"equal", Op::kEqual, 2, true, 1},
    {"notEqual", Op::kNotEqual, 2, true, 1},
    {"greater", Op::kGreater, 2, true, 1},
    {"greaterEqual", Op::kGreaterEqual, 2, true, 1},
    {"less", Op::kLess, 2, true, 1},
    {"lessEqual", Op::kLessEqual, 2, true, 1},
    {"and", Op::kAnd, 2, true, 1},
    {"or", Op::kOr, 2, true, 1},
    {"reluGrad", Op::kReluGrad, 2, false, 1},
    {"toInt", Op::kToInt, 1, false, 2},
    {"toBfloat16", Op::kToBfloat16, 1, false, 2},
    {"toFloat16", Op::kToFloat16, 1, false, 4},
    {"select", Op::kSelect, 3, true, 1},
};

/** Null when there is no such opcode. */
inline const OpInfo* findOp(const std::string& name) {
  static const auto* table = [] {
    auto* t = new std::unordered_map<std::string, const OpInfo*>;
    for (const OpInfo& op : kOps) t->emplace(op.name, &op);
    return t;
  }();
  const auto found = table->find(name);
  return found == table->end() ? nullptr : found->second;
}

struct ProgramStep {
  const OpInfo* info;
  Op op;
  std::array<int, 3> args;  ///< Registers, -1 where unused.
  double p0, p1;
};

/** The outputs are of one shape, and there is a result for each. */
inline void checkOutputs(const Check& check, const ElementwiseDesc& d) {
  check.that(!d.outputs.empty(), "an output", "none");
  check.that(d.results.size() == d.outputs.size(), std::to_string(d.outputs.size()) + " results",
             std::to_string(d.results.size()));
  const Dims& shape = d.outputs[0].dims;
  for (const TensorDesc& t : d.outputs) {
    check.that(t.dims == shape, "outputs of one shape " + describe(shape), describe(t));
  }
}

/** The instructions with their opcodes found; arguments and results name registers that exist. */
inline std::vector<ProgramStep> checkedProgram(const Check& check, const ElementwiseDesc& d) {
  const int k = static_cast<int>(d.inputs.size());
  std::vector<ProgramStep> steps;
  for (size_t i = 0; i < d.program.size(); ++i) {
    const Instruction& instruction = d.program[i];
    const std::string where = "instruction " + std::to_string(i) + " (" + instruction.opcode + ")";
    const OpInfo* info = findOp(instruction.opcode);
    if (info == nullptr) check.fail("a known opcode", where);
    check.that(!d.int32 || info->int32, "an opcode for int32", where);
    for (int a = 0; a < 3; ++a) {
      const int r = instruction.args[a];
      const bool fits = a < info->arity ? r >= 0 && r < k + static_cast<int>(i) : r == -1;
      check.that(fits, std::to_string(info->arity) + " arguments that name earlier registers",
                 where + " with " + std::to_string(r));
    }
    steps.push_back({info, info->op, instruction.args, instruction.params[0], instruction.params[1]});
  }
  for (int r : d.results) {
    check.that(r >= 0 && r < k + static_cast<int>(d.program.size()), "results that name registers", std::to_string(r));
  }
  return steps;
}

/** The output's shape with an input's strides in elements (0 along broadcast axes); neighbours that can be are merged.
 */
struct Broadcast {
  Dims dims, strides;
};

inline Broadcast broadcastTo(const Check& check, const TensorDesc& t, const Dims& shape) {
  const auto refuse = [&] { check.fail("inputs broadcastable to " + describe(shape), describe(t)); };
  if (t.dims.size() > shape.size()) refuse();
  const size_t pad = shape.size() - t.dims.size();
  int64_t stride = 1;
  Dims strides(shape.size(), 0);
  for (size_t i = shape.size(); i-- > 0;) {
    const int64_t d = i < pad ? 1 : t.dims[i - pad];
    if (d != 1 && d != shape[i]) refuse();
    strides[i] = d == 1 ? 0 : stride;
    stride *= d;
  }
  Broadcast b;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    if (!b.dims.empty() && b.strides.back() == strides[i] * shape[i]) {
      b.dims.back() *= shape[i];
      b.strides.back() = strides[i];
    } else {
      b.dims.push_back(shape[i]);
      b.strides.push_back(strides[i]);
    }
  }
  return b;
}

}  // namespace fovea
