#include "cpu/elementwise.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "core/elementwise_group.h"
#include "core/float16.h"
#include "cpu/backend.h"
#include "cpu/elementwise_compile.h"
#include "cpu/kernel_base.h"
#include "cpu/math.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"

/**
 * @file
 * The interpreter of elementwise programs. Each thread walks its part of the output in blocks that stay in the L1
 * cache: inputs of the right type and shape are read in place, others are expanded into scratch registers, and every
 * instruction is one vector loop over the block. Scratch registers are shared by liveness.
 */
namespace fovea::cpu {
namespace {

template <class T, class S>
T convert(S value) {
  if constexpr (std::is_same_v<S, BFloat16> || std::is_same_v<S, Float16>) {
    return convert<T>(toFloat(value));
  } else if constexpr (std::is_same_v<T, int32_t> && std::is_same_v<S, float>) {
    return math::toInt(value);
  } else {
    return static_cast<T>(value);
  }
}

template <class T, class S>
void convertRun(const S* x, T* y, int64_t n) {
  if constexpr (std::is_same_v<T, float> && (std::is_same_v<S, BFloat16> || std::is_same_v<S, Float16>)) {
    widen(x, y, n);
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = convert<T>(x[i]);
  }
}

template <class T, class S>
void loadAs(const Input& input, const S* x, T* y, int64_t begin, int64_t n) {
  switch (input.access) {
    case Access::kScalar:
      std::fill_n(y, n, convert<T>(x[0]));
      return;
    case Access::kDirect:
    case Access::kConverted:
      return convertRun(x + begin, y, n);
    case Access::kPeriodic:
      for (int64_t i = 0, j = begin % input.period; i < n; j = 0) {
        const int64_t run = std::min(n - i, input.period - j);
        convertRun(x + j, y + i, run);
        i += run;
      }
      return;
    case Access::kStrided: {
      const size_t rank = input.dims.size();
      std::array<int64_t, 16> index{};
      int64_t offset = 0, rest = begin;
      for (size_t d = rank; d-- > 0;) {
        index[d] = rest % input.dims[d];
        rest /= input.dims[d];
        offset += index[d] * input.strides[d];
      }
      const int64_t inner = input.dims[rank - 1], stride = input.strides[rank - 1];
      for (int64_t i = 0; i < n;) {
        const int64_t run = std::min(n - i, inner - index[rank - 1]);
        if (stride == 0) {
          std::fill_n(y + i, run, convert<T>(x[offset]));
        } else if (stride == 1) {
          convertRun(x + offset, y + i, run);
        } else {
          for (int64_t e = 0; e < run; ++e) y[i + e] = convert<T>(x[offset + e * stride]);
        }
        i += run;
        offset += run * stride;
        index[rank - 1] += run;
        for (size_t d = rank - 1; d > 0 && index[d] == input.dims[d]; --d) {
          index[d] = 0;
          offset += input.strides[d - 1] - input.dims[d] * input.strides[d];
          ++index[d - 1];
        }
      }
      return;
    }
  }
}

template <class T>
void load(const Input& input, const void* x, T* y, int64_t begin, int64_t n) {
  switch (input.dtype) {
    case DType::kFloat32:
      return loadAs(input, static_cast<const float*>(x), y, begin, n);
    case DType::kInt32:
      return loadAs(input, static_cast<const int32_t*>(x), y, begin, n);
    case DType::kBfloat16:
      return loadAs(input, static_cast<const BFloat16*>(x), y, begin, n);
    case DType::kFloat16:
      return loadAs(input, static_cast<const Float16*>(x), y, begin, n);
    default:
      return loadAs(input, static_cast<const uint8_t*>(x), y, begin, n);
  }
}

template <class T>
void store(DType dtype, const T* x, void* y, int64_t begin, int64_t n) {
  switch (dtype) {
    case DType::kFloat32:
      for (int64_t i = 0; i < n; ++i) static_cast<float*>(y)[begin + i] = static_cast<float>(x[i]);
      return;
    case DType::kInt32:
      for (int64_t i = 0; i < n; ++i) static_cast<int32_t*>(y)[begin + i] = convert<int32_t>(x[i]);
      return;
    case DType::kUint8:
      for (int64_t i = 0; i < n; ++i)
        static_cast<uint8_t*>(y)[begin + i] = static_cast<uint8_t>(convert<int32_t>(x[i]));
      return;
    case DType::kBool:
      for (int64_t i = 0; i < n; ++i) static_cast<uint8_t*>(y)[begin + i] = x[i] != 0;
      return;
    case DType::kBfloat16:
      if constexpr (std::is_same_v<T, float>) return narrow(x, static_cast<BFloat16*>(y) + begin, n);
      for (int64_t i = 0; i < n; ++i) static_cast<BFloat16*>(y)[begin + i] = toBFloat16(static_cast<float>(x[i]));
      return;
    case DType::kFloat16:
      if constexpr (std::is_same_v<T, float>) return narrow(x, static_cast<Float16*>(y) + begin, n);
      for (int64_t i = 0; i < n; ++i) static_cast<Float16*>(y)[begin + i] = toFloat16(static_cast<float>(x[i]));
      return;
  }
}

/** A parameter as the compute type has it; whole numbers truncate and saturate. */
template <class T>
T parameter(double value) {
  if constexpr (std::is_same_v<T, int32_t>) {
    return value != value ? 0 : static_cast<int32_t>(std::clamp(value, -2147483648.0, 2147483647.0));
  } else {
    return static_cast<T>(value);
  }
}

void runOp(Op op, const OpArgs<float>& args) { runFloat(op, args); }
void runOp(Op op, const OpArgs<int32_t>& args) { runInt(op, args); }

/** Runs elements begin..end-1; `scratch` holds p.slots blocks. */
template <class T>
void interpret(const Program& p, const Pointers& pointers, T* scratch, int64_t begin, int64_t end) {
  const int k = static_cast<int>(p.inputs.size());
  void* const* outputs = pointers.outputs + p.firstOutput;
  const int64_t longest = std::min(p.block, end - begin);
  const auto slot = [&](int s) { return scratch + s * p.slotSize(); };
  const auto read = [&](int r, int64_t at) -> const T* {
    if (r < 0) return nullptr;
    if (r < k)
      return p.inputs[r].slot >= 0 ? slot(p.inputs[r].slot)
                                   : static_cast<const T*>(pointers.inputs[p.inputs[r].operand]) + at;
    const Step& step = p.steps[r - k];
    return step.output >= 0 ? static_cast<const T*>(outputs[step.output]) + at : slot(step.slot);
  };
  for (int r = 0; r < k; ++r) {
    const Input& input = p.inputs[r];
    if (input.once) load(input, pointers.inputs[input.operand], slot(input.slot), 0, longest);
  }
  for (const Step& step : p.steps) {
    if (step.hoisted)
      runOp(step.op, OpArgs<T>{slot(step.slot), nullptr, nullptr, nullptr, longest, parameter<T>(step.p0),
                               parameter<T>(step.p1)});
  }
  for (int64_t i = begin; i < end; i += p.block) {
    const int64_t n = std::min(p.block, end - i);
    for (int r = 0; r < k; ++r) {
      const Input& input = p.inputs[r];
      if (input.slot >= 0 && !input.once) load(input, pointers.inputs[input.operand], slot(input.slot), i, n);
    }
    for (const Step& step : p.steps) {
      if (step.hoisted) continue;
      T* y = step.output >= 0 ? static_cast<T*>(outputs[step.output]) + i : slot(step.slot);
      runOp(step.op, OpArgs<T>{y, read(step.args[0], i), read(step.args[1], i), read(step.args[2], i), n,
                               parameter<T>(step.p0), parameter<T>(step.p1)});
    }
    for (size_t j = 0; j < p.results.size(); ++j) {
      if (p.stored[j]) store(p.outputTypes[j], read(p.results[j], i), outputs[j], i, n);
    }
  }
}

/** As `interpret`, in the type that the program computes with. */
void runProgram(const Program& p, const Pointers& pointers, char* scratch, int64_t begin, int64_t end) {
  if (p.int32) return interpret(p, pointers, reinterpret_cast<int32_t*>(scratch), begin, end);
  return interpret(p, pointers, reinterpret_cast<float*>(scratch), begin, end);
}

/** Programs of one cost an element, run in one parallel region: threads share the elements of all of them evenly. */
KernelPtr prepare(std::vector<Program> programs) {
  size_t perThread = 0;
  std::vector<int64_t> starts = {0};
  for (const Program& p : programs) {
    perThread = std::max(perThread, align64(static_cast<size_t>(p.slots * p.slotSize()) * sizeof(float)));
    starts.push_back(starts.back() + p.size);
  }
  const size_t workspace = perThread * maxThreads();
  return makeKernel(
      [programs = std::move(programs), starts = std::move(starts), perThread](const Pointers& pointers) {
        parallelRanges(starts.back(), programs[0].cost, [&](int64_t begin, int64_t end, int thread) {
          char* scratch = static_cast<char*>(pointers.workspace) + perThread * thread;
          size_t g = std::upper_bound(starts.begin(), starts.end(), begin) - starts.begin() - 1;
          for (; g < programs.size() && starts[g] < end; ++g) {
            const Program& p = programs[g];
            // Parts are whole blocks, so that periodic inputs are in step with them.
            const int64_t unit = p.slots == 0 ? 64 : p.block;
            const auto bound = [&](int64_t at) {
              return std::min((std::max<int64_t>(at - starts[g], 0) + unit - 1) / unit * unit, p.size);
            };
            const int64_t from = bound(begin), to = bound(end);
            if (from < to) runProgram(p, pointers, scratch, from, to);
          }
        });
      },
      workspace);
}

}  // namespace

KernelPtr CpuBackend::prepareElementwise(const ElementwiseDesc& d) {
  std::vector<Program> programs;
  programs.push_back(compileProgram("elementwise", d));
  return prepare(std::move(programs));
}

KernelPtr CpuBackend::prepareElementwiseGroup(const ElementwiseGroupDesc& d) {
  constexpr const char* kKernel = "elementwiseGroup";
  GroupLayout layout;
  const std::vector<ElementwiseDesc> calls = checkedGroups(Check(kKernel, d), d, &layout);
  std::vector<Program> programs;
  for (size_t g = 0; g < calls.size(); ++g) {
    Program& p = programs.emplace_back(compileProgram(kKernel, calls[g]));
    for (Input& input : p.inputs) input.operand = layout.input(g, input.operand);
    p.firstOutput = layout.output(g, 0);
  }
  return prepare(std::move(programs));
}

}  // namespace fovea::cpu
