#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "core/dtype.h"
#include "core/opcodes.h"
#include "cuda/kernels/convert.h"
#include "cuda/kernels/divide.h"
#include "cuda/kernels/elementwise_ops.h"

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

  bool operator==(const ElementwiseInput&) const = default;
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

}  // namespace elementwise

/** A program on the device; operands are given apart. */
struct ProgramView {
  const ElementwiseStep* list;
  const ElementwiseOutput* results;
  int inputs, steps, outputs;
  int slots;
};

namespace elementwise {

/**
 * Takes elements i to i + 3, as far as there are n, through a program.
 *
 * @param inputs how each input is read
 * @param slot slot(s) is the thread's register s
 * @param in, out in(k) and out(k) are where the operands lie
 * @param aligned all pointers, to 16 bytes
 */
template <class T, class Slot, class In, class Out>
FOVEA_HD void interpret(const ProgramView& program, const ElementwiseInput* inputs, const Slot& slot, const In& in,
                        const Out& out, int64_t i, int64_t n, bool aligned) {
  const int count = static_cast<int>(n - i < kLanes ? n - i : kLanes);
  for (int k = 0; k < program.inputs; ++k) {
    const ElementwiseInput& input = inputs[k];
    if (input.slot < 0) continue;
    Pack<T> r = {};
    readAny(input, in(k), i, count, aligned, r.v);
    *slot(input.slot) = r;
  }
  for (int k = 0; k < program.steps; ++k) {
    const ElementwiseStep step = program.list[k];
    // Copies: the result may take the place of an argument. Unused arguments read register 0.
    const Pack<T> a = *slot(step.a), b = *slot(step.b), c = *slot(step.c);
    Pack<T> y;
    run(step.op, y.v, a.v, b.v, c.v, std::bit_cast<T>(step.p0), std::bit_cast<T>(step.p1));
    *slot(step.y) = y;
  }
  for (int k = 0; k < program.outputs; ++k) {
    const Pack<T> r = *slot(program.results[k].slot);
    writeAny(program.results[k].dtype, out(k), i, count, aligned, r.v);
  }
}

/** The registers of a block: in shared memory, or in its part of `memory` where that is not null. */
template <class T, class Block>
FOVEA_HD T* registersOf(const Block& block, T* memory, int slots) {
  if (memory == nullptr) return block.template shared<T>();
  return memory + int64_t{block.index()} * slots * block.threads() * kLanes;
}

}  // namespace elementwise

/** Interprets a program; T is the compute type, float or int32_t. */
template <class T>
struct Elementwise {
  struct Args {
    ProgramView program;
    const ElementwiseInput* inputs;
    bool aligned;  ///< All pointers, to 16 bytes.
    int64_t n;
    T* registers;  ///< [blocks][slots][threads][kLanes]; null: they fit shared memory.
    const void* in[kProgramInputs];
    void* out[kProgramOutputs];
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      T* base = elementwise::registersOf(block, args.registers, args.program.slots);
      const int64_t threads = block.threads();
      const auto slot = [&](int s) { return reinterpret_cast<Pack<T>*>(base + (s * threads + thread) * kLanes); };
      const auto in = [&](int k) { return args.in[k]; };
      const auto out = [&](int k) { return args.out[k]; };
      for (int64_t i = block.first(thread) * kLanes; i < args.n; i += block.stride() * kLanes) {
        elementwise::interpret<T>(args.program, args.inputs, slot, in, out, i, args.n, args.aligned);
      }
    });
  }
};

#define FOVEA_ELEMENTWISE_KERNELS(X) \
  X(Elementwise<float>)              \
  X(Elementwise<int32_t>)

}  // namespace fovea::cuda
