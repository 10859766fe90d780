#pragma once

#include <cmath>
#include <cstdint>

#include "core/opcodes.h"
#include "cuda/kernels/convert.h"

/** @file What the opcodes of elementwise programs compute; see docs/kernels.md. */
namespace fovea::cuda {

inline constexpr int kLanes = 4;  ///< Elements of a thread.

namespace elementwise {

template <class T, class F>
FOVEA_HD void each1(T* y, const T* a, const F& f) {
  for (int l = 0; l < kLanes; ++l) y[l] = f(a[l]);
}
template <class T, class F>
FOVEA_HD void each2(T* y, const T* a, const T* b, const F& f) {
  for (int l = 0; l < kLanes; ++l) y[l] = f(a[l], b[l]);
}

/** Opcodes that are the same for both compute types; false when `op` is not one of them. */
template <class T>
FOVEA_HD bool runCommon(Op op, T* y, const T* a, const T* b, const T* c) {
  constexpr T one = 1, zero = 0;
  switch (op) {
    case Op::kIdentity:
      each1(y, a, [](T v) { return v; });
      return true;
    case Op::kSign:
      each1(y, a, [](T v) { return v > zero ? one : (v < zero ? T(-1) : v); });
      return true;
    case Op::kRelu:
      each1(y, a, [](T v) { return v <= zero ? zero : v; });
      return true;
    case Op::kNot:
      each1(y, a, [](T v) { return v == zero ? one : zero; });
      return true;
    case Op::kMaximum:
      each2(y, a, b, [](T u, T v) { return u > v || u != u ? u : v; });
      return true;
    case Op::kMinimum:
      each2(y, a, b, [](T u, T v) { return u < v || u != u ? u : v; });
      return true;
    case Op::kEqual:
      each2(y, a, b, [](T u, T v) { return u == v ? one : zero; });
      return true;
    case Op::kNotEqual:
      each2(y, a, b, [](T u, T v) { return u != v ? one : zero; });
      return true;
    case Op::kGreater:
      each2(y, a, b, [](T u, T v) { return u > v ? one : zero; });
      return true;
    case Op::kGreaterEqual:
      each2(y, a, b, [](T u, T v) { return u >= v ? one : zero; });
      return true;
    case Op::kLess:
      each2(y, a, b, [](T u, T v) { return u < v ? one : zero; });
      return true;
    case Op::kLessEqual:
      each2(y, a, b, [](T u, T v) { return u <= v ? one : zero; });
      return true;
    case Op::kAnd:
      each2(y, a, b, [](T u, T v) { return u != zero && v != zero ? one : zero; });
      return true;
    case Op::kOr:
      each2(y, a, b, [](T u, T v) { return u != zero || v != zero ? one : zero; });
      return true;
    case Op::kSelect:
      for (int l = 0; l < kLanes; ++l) y[l] = a[l] != zero ? b[l] : c[l];
      return true;
    default:
      return false;
  }
}

/** Floored modulus: the sign of the divisor. */
FOVEA_HD float floorMod(float a, float b) {
  const float r = fmodf(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
/** Quotients and remainders in 64 bits, where -2^31 / -1 has room; divisor 0 gives 0. */
FOVEA_HD int32_t floorDiv(int32_t a, int32_t b) {
  if (b == 0) return 0;
  const int64_t q = int64_t{a} / b, r = int64_t{a} % b;
  return static_cast<int32_t>(r != 0 && (r < 0) != (b < 0) ? q - 1 : q);
}
FOVEA_HD int32_t floorMod(int32_t a, int32_t b) {
  if (b == 0) return 0;
  const int64_t r = int64_t{a} % b;
  return static_cast<int32_t>(r != 0 && (r < 0) != (b < 0) ? r + b : r);
}

FOVEA_HD void run(Op op, float* y, const float* a, const float* b, const float* c, float p0, float p1) {
  constexpr float kSeluAlpha = 1.6732632423543772f, kSeluScale = 1.0507009873554805f;  // Klambauer et al. 2017
  if (runCommon(op, y, a, b, c)) return;
  switch (op) {
    case Op::kConst:
      return each1(y, a, [=](float) { return p0; });
    case Op::kNeg:
      return each1(y, a, [](float v) { return -v; });
    case Op::kAbs:
      return each1(y, a, [](float v) { return fabsf(v); });
    case Op::kExp:
      return each1(y, a, [](float v) { return expf(v); });
    case Op::kExpm1:
      return each1(y, a, [](float v) { return expm1f(v); });
    case Op::kLog:
      return each1(y, a, [](float v) { return logf(v); });
    case Op::kLog1p:
      return each1(y, a, [](float v) { return log1pf(v); });
    case Op::kSqrt:
      return each1(y, a, [](float v) { return sqrtf(v); });
    case Op::kRsqrt:
      return each1(y, a, [](float v) { return 1.0f / sqrtf(v); });
    case Op::kSquare:
      return each1(y, a, [](float v) { return v * v; });
    case Op::kReciprocal:
      return each1(y, a, [](float v) { return 1.0f / v; });
    case Op::kFloor:
      return each1(y, a, [](float v) { return floorf(v); });
    case Op::kCeil:
      return each1(y, a, [](float v) { return ceilf(v); });
    case Op::kRound:
      return each1(y, a, [](float v) { return rintf(v); });
    case Op::kSin:
      return each1(y, a, [](float v) { return sinf(v); });
    case Op::kCos:
      return each1(y, a, [](float v) { return cosf(v); });
    case Op::kErf:
      return each1(y, a, [](float v) { return erff(v); });
    case Op::kTanh:
      return each1(y, a, [](float v) { return tanhf(v); });
    case Op::kSigmoid:
      return each1(y, a, [](float v) { return 1.0f / (1.0f + expf(-v)); });
    case Op::kRelu6:
      return each1(y, a, [](float v) { return v <= 0 ? 0.0f : (v > 6.0f ? 6.0f : v); });
    case Op::kLeakyRelu:
      return each1(y, a, [=](float v) { return v * (v > 0 ? 1.0f : p0); });
    case Op::kElu:
      return each1(y, a, [=](float v) { return v > 0 ? v : p0 * expm1f(v); });
    case Op::kSelu:
      return each1(y, a, [=](float v) { return kSeluScale * (v > 0 ? v : kSeluAlpha * expm1f(v)); });
    case Op::kGelu:
      return each1(y, a, [](float v) { return 0.5f * v * (1.0f + erff(v * 0.70710678118654752f)); });
    case Op::kGeluTanh:
      return each1(
          y, a, [](float v) { return 0.5f * v * (1.0f + tanhf(0.79788456080286536f * (v + 0.044715f * v * v * v))); });
    case Op::kSoftplus:
      return each1(y, a, [](float v) { return (v < 0 ? 0.0f : v) + log1pf(expf(v < 0 ? v : -v)); });
    case Op::kSilu:
      return each1(y, a, [](float v) { return v / (1.0f + expf(-v)); });
    case Op::kHardSigmoid:
      return each1(y, a, [](float v) {
        const float t = v + 3.0f;
        return (t <= 0 ? 0.0f : (t > 6.0f ? 6.0f : t)) / 6.0f;
      });
    case Op::kClip:
      return each1(y, a, [=](float v) {
        const float low = v < p0 ? p0 : v;
        return low > p1 ? p1 : low;
      });
    case Op::kIsNaN:
      return each1(y, a, [](float v) { return v != v ? 1.0f : 0.0f; });
    case Op::kIsFinite:
      return each1(y, a, [](float v) { return fabsf(v) < HUGE_VALF ? 1.0f : 0.0f; });
    case Op::kAdd:
      return each2(y, a, b, [](float u, float v) { return u + v; });
    case Op::kSub:
      return each2(y, a, b, [](float u, float v) { return u - v; });
    case Op::kMul:
      return each2(y, a, b, [](float u, float v) { return u * v; });
    case Op::kDiv:
      return each2(y, a, b, [](float u, float v) { return u / v; });
    case Op::kPow:
      return each2(y, a, b, [](float u, float v) { return powf(u, v); });
    case Op::kMod:
      return each2(y, a, b, [](float u, float v) { return floorMod(u, v); });
    case Op::kFloorDiv:
      return each2(y, a, b, [](float u, float v) { return floorf(u / v); });
    case Op::kReluGrad:
      return each2(y, a, b, [](float u, float v) { return u > 0 ? v : 0.0f; });
    case Op::kToInt:
      return each1(y, a, [](float v) { return static_cast<float>(truncateToInt(v)); });
    case Op::kToBfloat16:
      return each1(y, a, [](float v) { return toFloat(toBFloat16(v)); });
    case Op::kToFloat16:
      return each1(y, a, [](float v) {
        Float16 half;
        store(&half, v);
        return load(half);
      });
    default:
      return;  // Preparation lets no other opcode through.
  }
}

FOVEA_HD void run(Op op, int32_t* y, const int32_t* a, const int32_t* b, const int32_t* c, int32_t p0, int32_t p1) {
  if (runCommon(op, y, a, b, c)) return;
  // Overflow wraps, which only unsigned numbers may.
  switch (op) {
    case Op::kConst:
      return each1(y, a, [=](int32_t) { return p0; });
    case Op::kNeg:
      return each1(y, a, [](int32_t v) { return static_cast<int32_t>(0u - static_cast<uint32_t>(v)); });
    case Op::kAbs:
      return each1(y, a, [](int32_t v) { return v < 0 ? static_cast<int32_t>(0u - static_cast<uint32_t>(v)) : v; });
    case Op::kSquare:
      return each1(y, a,
                   [](int32_t v) { return static_cast<int32_t>(static_cast<uint32_t>(v) * static_cast<uint32_t>(v)); });
    case Op::kClip:
      return each1(y, a, [=](int32_t v) {
        const int32_t low = v < p0 ? p0 : v;
        return low > p1 ? p1 : low;
      });
    case Op::kAdd:
      return each2(y, a, b, [](int32_t u, int32_t v) {
        return static_cast<int32_t>(static_cast<uint32_t>(u) + static_cast<uint32_t>(v));
      });
    case Op::kSub:
      return each2(y, a, b, [](int32_t u, int32_t v) {
        return static_cast<int32_t>(static_cast<uint32_t>(u) - static_cast<uint32_t>(v));
      });
    case Op::kMul:
      return each2(y, a, b, [](int32_t u, int32_t v) {
        return static_cast<int32_t>(static_cast<uint32_t>(u) * static_cast<uint32_t>(v));
      });
    case Op::kMod:
      return each2(y, a, b, [](int32_t u, int32_t v) { return floorMod(u, v); });
    case Op::kFloorDiv:
      return each2(y, a, b, [](int32_t u, int32_t v) { return floorDiv(u, v); });
    default:
      return;
  }
}

}  // namespace elementwise
}  // namespace fovea::cuda
