#include <cmath>

#include "core/bfloat16.h"
#include "core/float16.h"
#include "cpu/elementwise.h"
#include "cpu/math.h"
#include "cpu/simd.h"

/**
 * @file
 * One tight loop per opcode. The loops are lambdas inlined into a function that is compiled once per instruction set.
 */
namespace fovea::cpu {
namespace {

template <class T, class F>
FOVEA_INLINE void unary(const OpArgs<T>& r, const F& f) {
  T* y = r.y;
  const T* a = r.a;
#pragma omp simd
  for (int64_t i = 0; i < r.n; ++i) y[i] = f(a[i]);
}

template <class T, class F>
FOVEA_INLINE void binary(const OpArgs<T>& r, const F& f) {
  T* y = r.y;
  const T *a = r.a, *b = r.b;
#pragma omp simd
  for (int64_t i = 0; i < r.n; ++i) y[i] = f(a[i], b[i]);
}

/** Opcodes that compile the same for both compute types; false when `op` is not one of them. */
template <class T>
FOVEA_INLINE bool runCommon(Op op, const OpArgs<T>& r) {
  constexpr T one = 1, zero = 0;
  switch (op) {
    case Op::kIdentity:
      unary(r, [](T a) FOVEA_FORCE { return a; });
      return true;
    case Op::kSign:
      unary(r, [](T a) FOVEA_FORCE { return a > zero ? one : (a < zero ? T(-1) : a); });
      return true;
    case Op::kRelu:
      unary(r, [](T a) FOVEA_FORCE { return a <= zero ? zero : a; });
      return true;
    case Op::kNot:
      unary(r, [](T a) FOVEA_FORCE { return a == zero ? one : zero; });
      return true;
    case Op::kMaximum:
      binary(r, [](T a, T b) FOVEA_FORCE { return (a > b) | (a != a) ? a : b; });
      return true;
    case Op::kMinimum:
      binary(r, [](T a, T b) FOVEA_FORCE { return (a < b) | (a != a) ? a : b; });
      return true;
    case Op::kEqual:
      binary(r, [](T a, T b) FOVEA_FORCE { return a == b ? one : zero; });
      return true;
    case Op::kNotEqual:
      binary(r, [](T a, T b) FOVEA_FORCE { return a != b ? one : zero; });
      return true;
    case Op::kGreater:
      binary(r, [](T a, T b) FOVEA_FORCE { return a > b ? one : zero; });
      return true;
    case Op::kGreaterEqual:
      binary(r, [](T a, T b) FOVEA_FORCE { return a >= b ? one : zero; });
      return true;
    case Op::kLess:
      binary(r, [](T a, T b) FOVEA_FORCE { return a < b ? one : zero; });
      return true;
    case Op::kLessEqual:
      binary(r, [](T a, T b) FOVEA_FORCE { return a <= b ? one : zero; });
      return true;
    case Op::kAnd:
      binary(r, [](T a, T b) FOVEA_FORCE { return (a != zero) & (b != zero) ? one : zero; });
      return true;
    case Op::kOr:
      binary(r, [](T a, T b) FOVEA_FORCE { return (a != zero) | (b != zero) ? one : zero; });
      return true;
    case Op::kSelect: {
      T* y = r.y;
      const T *a = r.a, *b = r.b, *c = r.c;
#pragma omp simd
      for (int64_t i = 0; i < r.n; ++i) {
        const T u = b[i], v = c[i];
        y[i] = a[i] != zero ? u : v;
      }
      return true;
    }
    default:
      return false;
  }
}

/** Floored modulus: the sign of the divisor. */
float floorMod(float a, float b) {
  const float r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
int32_t floorDivInt(int32_t a, int32_t b) {
  if (b == 0) return 0;
  const int64_t q = int64_t{a} / b, r = int64_t{a} % b;
  return static_cast<int32_t>(r != 0 && (r < 0) != (b < 0) ? q - 1 : q);
}
int32_t floorModInt(int32_t a, int32_t b) {
  if (b == 0) return 0;
  const int64_t r = int64_t{a} % b;
  return static_cast<int32_t>(r != 0 && (r < 0) != (b < 0) ? r + b : r);
}

/** Calls of the C library, one element at a time. */
void runScalar(Op op, const OpArgs<float>& r) {
  switch (op) {
    case Op::kSin:
      return unary(r, [](float a) { return std::sin(a); });
    case Op::kCos:
      return unary(r, [](float a) { return std::cos(a); });
    case Op::kPow:
      return binary(r, [](float a, float b) { return std::pow(a, b); });
    default:
      return binary(r, [](float a, float b) { return floorMod(a, b); });
  }
}

constexpr float kSeluAlpha = 1.6732632423543772f, kSeluScale = 1.0507009873554805f;  // Klambauer et al. 2017

}  // namespace

FOVEA_CLONES
void runFloat(Op op, const OpArgs<float>& r) {
  if (runCommon(op, r)) return;
  const float p0 = r.p0, p1 = r.p1;
  switch (op) {
    case Op::kConst:
      for (int64_t i = 0; i < r.n; ++i) r.y[i] = p0;
      return;
    case Op::kNeg:
      return unary(r, [](float a) FOVEA_FORCE { return -a; });
    case Op::kAbs:
      return unary(r, [](float a) FOVEA_FORCE { return std::fabs(a); });
    case Op::kExp:
      return unary(r, [](float a) FOVEA_FORCE { return math::exp(a); });
    case Op::kExpm1:
      return unary(r, [](float a) FOVEA_FORCE { return math::expm1(a); });
    case Op::kLog:
      return unary(r, [](float a) FOVEA_FORCE { return math::log(a); });
    case Op::kLog1p:
      return unary(r, [](float a) FOVEA_FORCE { return math::log1p(a); });
    case Op::kSqrt:
      return unary(r, [](float a) FOVEA_FORCE { return __builtin_sqrtf(a); });
    case Op::kRsqrt:
      return unary(r, [](float a) FOVEA_FORCE { return 1.0f / __builtin_sqrtf(a); });
    case Op::kSquare:
      return unary(r, [](float a) FOVEA_FORCE { return a * a; });
    case Op::kReciprocal:
      return unary(r, [](float a) FOVEA_FORCE { return 1.0f / a; });
    case Op::kFloor:
      return unary(r, [](float a) FOVEA_FORCE { return __builtin_floorf(a); });
    case Op::kCeil:
      return unary(r, [](float a) FOVEA_FORCE { return __builtin_ceilf(a); });
    case Op::kRound:
      return unary(r, [](float a) FOVEA_FORCE { return __builtin_rintf(a); });
    case Op::kErf:
      return unary(r, [](float a) FOVEA_FORCE { return math::erf(a); });
    case Op::kTanh:
      return unary(r, [](float a) FOVEA_FORCE { return math::tanh(a); });
    case Op::kSigmoid:
      return unary(r, [](float a) FOVEA_FORCE { return math::sigmoid(a); });
    case Op::kRelu6:
      return unary(r, [](float a) FOVEA_FORCE { return a <= 0 ? 0.0f : (a > 6.0f ? 6.0f : a); });
    case Op::kLeakyRelu:
      return unary(r, [p0](float a) FOVEA_FORCE { return a * (a > 0 ? 1.0f : p0); });
    case Op::kElu:
      return unary(r, [p0](float a) FOVEA_FORCE {
        const float e = p0 * math::expm1(a);
        return a > 0 ? a : e;
      });
    case Op::kSelu:
      return unary(r, [](float a) FOVEA_FORCE {
        const float e = kSeluAlpha * math::expm1(a);
        return kSeluScale * (a > 0 ? a : e);
      });
    case Op::kGelu:
      return unary(r, [](float a) FOVEA_FORCE { return 0.5f * a * (1.0f + math::erf(a * 0.70710678118654752f)); });
    case Op::kGeluTanh:
      return unary(r, [](float a) FOVEA_FORCE {
        return 0.5f * a * (1.0f + math::tanh(0.79788456080286536f * (a + 0.044715f * a * a * a)));
      });
    case Op::kSoftplus:
      return unary(r, [](float a) FOVEA_FORCE { return (a < 0 ? 0.0f : a) + math::log1p(math::exp(a < 0 ? a : -a)); });
    case Op::kSilu:
      return unary(r, [](float a) FOVEA_FORCE { return a / (1.0f + math::exp(-a)); });
    case Op::kHardSigmoid:
      return unary(r, [](float a) FOVEA_FORCE {
        const float t = a + 3.0f;
        return (t <= 0 ? 0.0f : (t > 6.0f ? 6.0f : t)) / 6.0f;
      });
    case Op::kClip:
      return unary(r, [p0, p1](float a) FOVEA_FORCE {
        const float low = a < p0 ? p0 : a;
        return low > p1 ? p1 : low;
      });
    case Op::kIsNaN:
      return unary(r, [](float a) FOVEA_FORCE { return a != a ? 1.0f : 0.0f; });
    case Op::kIsFinite:
      return unary(r, [](float a) FOVEA_FORCE { return std::fabs(a) < math::kInf ? 1.0f : 0.0f; });
    case Op::kAdd:
      return binary(r, [](float a, float b) FOVEA_FORCE { return a + b; });
    case Op::kSub:
      return binary(r, [](float a, float b) FOVEA_FORCE { return a - b; });
    case Op::kMul:
      return binary(r, [](float a, float b) FOVEA_FORCE { return a * b; });
    case Op::kDiv:
      return binary(r, [](float a, float b) FOVEA_FORCE { return a / b; });
    case Op::kFloorDiv:
      return binary(r, [](float a, float b) FOVEA_FORCE { return __builtin_floorf(a / b); });
    case Op::kReluGrad:
      return binary(r, [](float a, float b) FOVEA_FORCE { return a > 0 ? b : 0.0f; });
    case Op::kToInt:
      return unary(r, [](float a) FOVEA_FORCE { return static_cast<float>(math::toInt(a)); });
    case Op::kToBfloat16:
      return unary(r, [](float a) FOVEA_FORCE { return toFloat(toBFloat16(a)); });
    case Op::kToFloat16:
      return unary(r, [](float a) FOVEA_FORCE { return toFloat(toFloat16(a)); });
    default:
      return runScalar(op, r);
  }
}

FOVEA_CLONES
void runInt(Op op, const OpArgs<int32_t>& r) {
  if (runCommon(op, r)) return;
  const int32_t low = r.p0, high = r.p1;
  const auto wrap = [](uint32_t u) FOVEA_FORCE { return static_cast<int32_t>(u); };
  const auto u = [](int32_t i) FOVEA_FORCE { return static_cast<uint32_t>(i); };
  switch (op) {
    case Op::kConst:
      for (int64_t i = 0; i < r.n; ++i) r.y[i] = low;
      return;
    case Op::kNeg:
      return unary(r, [=](int32_t a) FOVEA_FORCE { return wrap(0u - u(a)); });
    case Op::kAbs:
      return unary(r, [=](int32_t a) FOVEA_FORCE { return a < 0 ? wrap(0u - u(a)) : a; });
    case Op::kSquare:
      return unary(r, [=](int32_t a) FOVEA_FORCE { return wrap(u(a) * u(a)); });
    case Op::kClip:
      return unary(r, [=](int32_t a) FOVEA_FORCE {
        const int32_t t = a < low ? low : a;
        return t > high ? high : t;
      });
    case Op::kAdd:
      return binary(r, [=](int32_t a, int32_t b) FOVEA_FORCE { return wrap(u(a) + u(b)); });
    case Op::kSub:
      return binary(r, [=](int32_t a, int32_t b) FOVEA_FORCE { return wrap(u(a) - u(b)); });
    case Op::kMul:
      return binary(r, [=](int32_t a, int32_t b) FOVEA_FORCE { return wrap(u(a) * u(b)); });
    case Op::kMod:
      return binary(r, [](int32_t a, int32_t b) { return floorModInt(a, b); });
    default:
      return binary(r, [](int32_t a, int32_t b) { return floorDivInt(a, b); });
  }
}

}  // namespace fovea::cpu
