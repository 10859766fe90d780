#pragma once

#include <cstdint>
#include <string>

namespace fovea::cpu {

/** Opcodes of docs/kernels.md, in its order. */
// clang-format off
enum class Op : uint8_t {
  kConst, kIdentity, kNeg, kAbs, kSign, kExp, kExpm1, kLog, kLog1p, kSqrt, kRsqrt, kSquare, kReciprocal, kFloor, kCeil,
  kRound, kSin, kCos, kErf, kTanh, kSigmoid, kRelu, kRelu6, kLeakyRelu, kElu, kSelu, kGelu, kGeluTanh, kSoftplus, kSilu,
  kHardSigmoid, kClip, kIsNaN, kIsFinite, kNot, kAdd, kSub, kMul, kDiv, kPow, kMod, kFloorDiv, kMaximum, kMinimum,
  kEqual, kNotEqual, kGreater, kGreaterEqual, kLess, kLessEqual, kAnd, kOr, kReluGrad, kToInt, kToBfloat16,
  kSelect,
};
// clang-format on

struct OpInfo {
  const char* name;
  Op op;
  int arity;
  bool int32;  ///< Allowed with int32 compute.
  int cost;    ///< Roughly, in additions: decides when threads pay.
};

/** Null when there is no such opcode. */
const OpInfo* findOp(const std::string& name);

/** Operands of one instruction over a run of elements; unused ones are null. `y` may be any of a, b, c. */
template <class T>
struct OpArgs {
  T* y;
  const T *a, *b, *c;
  int64_t n;
  T p0, p1;
};

void runFloat(Op op, const OpArgs<float>& args);
void runInt(Op op, const OpArgs<int32_t>& args);

}  // namespace fovea::cpu
