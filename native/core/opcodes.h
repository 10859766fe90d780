#pragma once

#include <cstdint>

/** @file The opcodes of `elementwise`, the same for every device. */
namespace fovea {

/** Opcodes of docs/kernels.md, in its order. */
// clang-format off
enum class Op : uint8_t {
  kConst, kIdentity, kNeg, kAbs, kSign, kExp, kExpm1, kLog, kLog1p, kSqrt, kRsqrt, kSquare, kReciprocal, kFloor, kCeil,
  kRound, kSin, kCos, kErf, kTanh, kSigmoid, kRelu, kRelu6, kLeakyRelu, kElu, kSelu, kGelu, kGeluTanh, kSoftplus, kSilu,
  kHardSigmoid, kClip, kIsNaN, kIsFinite, kNot, kAdd, kSub, kMul, kDiv, kPow, kMod, kFloorDiv, kMaximum, kMinimum,
  kEqual, kNotEqual, kGreater, kGreaterEqual, kLess, kLessEqual, kAnd, kOr, kReluGrad, kToInt, kToBfloat16,
  kToFloat16, kSelect,
};
// clang-format on

}  // namespace fovea
