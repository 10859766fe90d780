#pragma once

#include <cmath>
#include <cstdint>

#include "core/dtype.h"
#include "core/opcodes.h"
#include "cuda/kernels/convert.h"
#include "cuda/kernels/divide.h"

/**
 * @file
 * The interpreter of elementwise programs. A thread takes four neighbouring elements through the whole program; its
 * registers lie in shared memory (in the workspace where they do not fit), so that their number is known at preparation
 * only. Decoding an instruction is paid once for four elements of 32 threads.
 */
namespace fovea::cuda {

inline constexpr int kProgramAxes = 16;    ///< Of one input, after merging.
inline constexpr int kProgramInputs = 96;  ///< Pointers fit the 4 KB of a launch's arguments.
inline constexpr int kProgramOutputs = 48;
inline constexpr int kLanes = 4;  ///< Elements of a thread.
static_assert(kLanes == 4, "a Four");

enum class Access : uint8_t { kDense, kScalar, kPeriodic, kStrided };

/** How an input is read. */
struct ElementwiseInput {
  Access access;
  DType dtype;
  int slot;        ///< The register it is loaded into.
  int rank;        ///< kStrided: axes below, outermost first.
  Divisor period;  ///< kPeriodic: its size.
  Divisor dims[kProgramAxes];
  int64_t strides[kProgramAxes];
};

/** An instruction on registers; p0 and p1 are the bits of the compute type. */
struct alignas(16) ElementwiseStep {
  Op op;
  int y, a, b, c;
  uint32_t p0, p1;
};

struct ElementwiseOutput {
  DType dtype;
  int slot;
};

namespace elementwise {

template <class T, class S>
FOVEA_HD T convert(S value) {
  if constexpr (std::is_same_v<S, BFloat16> || std::is_same_v<S, Float16>) {
    return convert<T>(load(value));
  } else if constexpr (std::is_same_v<T, int32_t> && std::is_same_v<S, float>) {
    return truncateToInt(value);
  } else {
    return static_cast<T>(value);
  }
}

template <class T, class S>
FOVEA_HD void read(const ElementwiseInput& input, const S* x, int64_t i, int count, bool aligned, T* r) {
  switch (input.access) {
    case Access::kDense:
      if (aligned && count == kLanes) {
        const Four<S> four = *reinterpret_cast<const Four<S>*>(x + i);
        for (int l = 0; l < kLanes; ++l) r[l] = convert<T>(four.v[l]);
        return;
      }
      for (int l = 0; l < count; ++l) r[l] = convert<T>(x[i + l]);
      return;
    case Access::kScalar: {
      const T value = convert<T>(x[0]);
      for (int l = 0; l < kLanes; ++l) r[l] = value;
      return;
    }
    case Access::kPeriodic: {
      int64_t j = i - input.period.quotient(i) * input.period.d;
      for (int l = 0; l < count; ++l) {
        r[l] = convert<T>(x[j]);
        if (++j == input.period.d) j = 0;
      }
      return;
    }
    case Access::kStrided:
      for (int l = 0; l < count; ++l) {
        int64_t rest = i + l, offset = 0;
        for (int d = input.rank - 1; d > 0; --d) offset += popAxis(rest, input.dims[d]) * input.strides[d];
        r[l] = convert<T>(x[offset + rest * input.strides[0]]);
      }
      return;
  }
}

template <class T>
FOVEA_HD void readAny(const ElementwiseInput& input, const void* x, int64_t i, int count, bool aligned, T* r) {
  switch (input.dtype) {
    case DType::kFloat32:
      return read(input, static_cast<const float*>(x), i, count, aligned, r);
    case DType::kInt32:
      return read(input, static_cast<const int32_t*>(x), i, count, aligned, r);
    case DType::kBfloat16:
      return read(input, static_cast<const BFloat16*>(x), i, count, aligned, r);
    case DType::kFloat16:
      return read(input, static_cast<const Float16*>(x), i, count, aligned, r);
    case DType::kUint8:
    case DType::kBool:
      return read(input, static_cast<const uint8_t*>(x), i, count, aligned, r);
  }
}

template <class S, class T, class F>
FOVEA_HD void write(S* y, int64_t i, int count, bool aligned, const T* r, const F& convertTo) {
  Four<S> four;
  for (int l = 0; l < kLanes; ++l) four.v[l] = convertTo(r[l]);
  if (aligned && count == kLanes) {
    *reinterpret_cast<Four<S>*>(y + i) = four;
    return;
  }
  for (int l = 0; l < count; ++l) y[i + l] = four.v[l];
}

template <class T>
FOVEA_HD void writeAny(DType dtype, void* y, int64_t i, int count, bool aligned, const T* r) {
  switch (dtype) {
    case DType::kFloat32:
      return write(static_cast<float*>(y), i, count, aligned, r, [](T v) { return static_cast<float>(v); });
    case DType::kInt32:
      return write(static_cast<int32_t*>(y), i, count, aligned, r, [](T v) { return convert<int32_t>(v); });
    case DType::kUint8:
      return write(static_cast<uint8_t*>(y), i, count, aligned, r,
                   [](T v) { return static_cast<uint8_t>(convert<int32_t>(v)); });
    case DType::kBool:
      return write(static_cast<uint8_t*>(y), i, count, aligned, r, [](T v) { return static_cast<uint8_t>(v != 0); });
    case DType::kBfloat16:
      return write(static_cast<BFloat16*>(y), i, count, aligned, r,
                   [](T v) { return toBFloat16(static_cast<float>(v)); });
    case DType::kFloat16:
      return write(static_cast<Float16*>(y), i, count, aligned, r, [](T v) {
        Float16 half;
        store(&half, static_cast<float>(v));
        return half;
      });
  }
}

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

/** Interprets a program; T is the compute type, float or int32_t. */
template <class T>
struct Elementwise {
  struct Args {
    const ElementwiseInput* inputs;
    const ElementwiseStep* steps;
    const ElementwiseOutput* outputs;
    int inputCount, stepCount, outputCount;
    int slots;
    bool aligned;  ///< All pointers, to 16 bytes.
    int64_t n;
    T* registers;  ///< [blocks][slots][threads][kLanes]; null: they fit shared memory.
    const void* in[kProgramInputs];
    void* out[kProgramOutputs];
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      const int64_t threads = block.threads();
      T* base = args.registers == nullptr ? block.template shared<T>()
                                          : args.registers + block.index() * args.slots * threads * kLanes;
      const auto slot = [&](int s) { return reinterpret_cast<Pack<T>*>(base + (s * threads + thread) * kLanes); };
      for (int64_t i = block.first(thread) * kLanes; i < args.n; i += block.stride() * kLanes) {
        const int count = static_cast<int>(args.n - i < kLanes ? args.n - i : kLanes);
        for (int k = 0; k < args.inputCount; ++k) {
          const ElementwiseInput& input = args.inputs[k];
          if (input.slot < 0) continue;
          Pack<T> r = {};
          elementwise::readAny(input, args.in[k], i, count, args.aligned, r.v);
          *slot(input.slot) = r;
        }
        for (int k = 0; k < args.stepCount; ++k) {
          const ElementwiseStep step = args.steps[k];
          // Copies: the result may take the place of an argument. Unused arguments read register 0.
          const Pack<T> a = *slot(step.a), b = *slot(step.b), c = *slot(step.c);
          Pack<T> y;
          elementwise::run(step.op, y.v, a.v, b.v, c.v, std::bit_cast<T>(step.p0), std::bit_cast<T>(step.p1));
          *slot(step.y) = y;
        }
        for (int k = 0; k < args.outputCount; ++k) {
          const Pack<T> r = *slot(args.outputs[k].slot);
          elementwise::writeAny(args.outputs[k].dtype, args.out[k], i, count, args.aligned, r.v);
        }
      }
    });
  }
};

#define FOVEA_ELEMENTWISE_KERNELS(X) \
  X(Elementwise<float>)              \
  X(Elementwise<int32_t>)

}  // namespace fovea::cuda
