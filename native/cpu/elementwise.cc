#include "cpu/elementwise.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "core/float16.h"
#include "cpu/backend.h"
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

constexpr int64_t kBlock = 512;
constexpr int kForever = 1 << 30;

enum class Access : uint8_t { kDirect, kConverted, kScalar, kPeriodic, kStrided };

/** How one input is read. */
struct Input {
  Access access = Access::kDirect;
  DType dtype = DType::kFloat32;
  int64_t period = 1;  ///< kPeriodic: its size.
  Dims dims, strides;  ///< kStrided: merged output dims with this input's strides.
  int slot = -1;       ///< Scratch register, unless read in place.
  bool once = false;   ///< Filled once a thread, not once a block.
};

struct Step : ProgramStep {
  explicit Step(const ProgramStep& step) : ProgramStep(step) {}
  int slot = -1;         ///< Scratch register, or
  int output = -1;       ///< the output that is written in place.
  bool hoisted = false;  ///< A constant: run once a thread.
};

struct Program {
  bool int32 = false;
  std::vector<Input> inputs;
  std::vector<Step> steps;
  std::vector<int> results;
  std::vector<DType> outputTypes;
  std::vector<bool> stored;  ///< Output j needs a store at the end of the block.
  int64_t size = 0, block = kBlock;
  int slots = 0, cost = 1;

  /** Floats from one scratch register to the next: not a power of two, which would make them share cache sets. */
  int64_t slotSize() const { return block + 16; }
};

Input planInput(const fovea::Check& check, const TensorDesc& t, const Dims& shape, DType compute) {
  Input input;
  input.dtype = t.dtype;
  const Broadcast broadcast = broadcastTo(check, t, shape);
  input.dims = broadcast.dims;
  input.strides = broadcast.strides;
  const int64_t size = t.size(), total = product(shape);
  if (size == total) {
    input.access = t.dtype == compute ? Access::kDirect : Access::kConverted;
  } else if (size == 1) {
    input.access = Access::kScalar;
  } else if (input.dims.size() == 2 && input.strides[0] == 0 && input.strides[1] == 1) {
    input.access = Access::kPeriodic;
    input.period = size;
  } else {
    input.access = Access::kStrided;
  }
  return input;
}

/** Gives registers to scratch slots by last use, and lets results go straight to their outputs where that is safe. */
void allocateRegisters(Program* p) {
  const int k = static_cast<int>(p->inputs.size()), n = static_cast<int>(p->steps.size());
  std::vector<int> lastUse(static_cast<size_t>(k + n), -1);
  int lastInPlaceRead = -1;
  for (int i = 0; i < n; ++i) {
    for (int a : p->steps[i].args) {
      if (a < 0) continue;
      lastUse[a] = i;
      if (a < k && p->inputs[a].access == Access::kDirect) lastInPlaceRead = i;
    }
  }
  const DType compute = p->int32 ? DType::kInt32 : DType::kFloat32;
  p->stored.assign(p->results.size(), true);
  for (int r : p->results) {
    lastUse[r] = kForever;
    if (r < k && p->inputs[r].access == Access::kDirect) lastInPlaceRead = kForever;
  }
  // An output may share its storage with an input that is read in place, so it is written early only after the last
  // such read. The first result that names a register takes it.
  for (size_t j = 0; j < p->results.size(); ++j) {
    const int i = p->results[j] - k;
    if (i < 0 || i < lastInPlaceRead || p->outputTypes[j] != compute || p->steps[i].output >= 0) continue;
    if (p->steps[i].op == Op::kConst) continue;
    p->steps[i].output = static_cast<int>(j);
    p->stored[j] = false;
  }
  std::vector<int> freeSlots;
  const auto take = [&] {
    if (freeSlots.empty()) return p->slots++;
    const int s = freeSlots.back();
    freeSlots.pop_back();
    return s;
  };
  const bool copies = p->results.size() > 1;
  for (int r = 0; r < k; ++r) {
    Input& input = p->inputs[r];
    const bool result = lastUse[r] == kForever;
    // Copied first when another output could overwrite it before it is stored.
    if (input.access == Access::kDirect && !(result && copies)) continue;
    if (lastUse[r] < 0) continue;
    input.slot = p->slots++;
    input.once = input.access == Access::kScalar ||
                 (input.access == Access::kPeriodic && input.period <= p->block && p->block % input.period == 0);
  }
  for (int i = 0; i < n; ++i) {
    if (p->steps[i].op == Op::kConst) {
      p->steps[i].hoisted = true;
      p->steps[i].slot = p->slots++;
    }
  }
  for (int i = 0; i < n; ++i) {
    Step& step = p->steps[i];
    // Arguments that die here give their slot to the result: every loop reads an element before it writes it.
    for (size_t a = 0; a < 3; ++a) {
      const int r = step.args[a];
      if (r < 0 || lastUse[r] != i || std::find(step.args.begin(), step.args.begin() + a, r) != step.args.begin() + a) {
        continue;
      }
      if (r >= k && p->steps[r - k].slot >= 0 && !p->steps[r - k].hoisted) freeSlots.push_back(p->steps[r - k].slot);
    }
    if (step.output < 0 && !step.hoisted) step.slot = take();
    if (step.slot >= 0 && !step.hoisted && lastUse[k + i] < 0) freeSlots.push_back(step.slot);
  }
}

Program compile(const ElementwiseDesc& d) {
  const fovea::Check check("elementwise", d);
  checkOutputs(check, d);
  Program p;
  p.int32 = d.int32;
  const Dims& shape = d.outputs[0].dims;
  p.size = product(shape);
  const DType compute = d.int32 ? DType::kInt32 : DType::kFloat32;
  for (const TensorDesc& t : d.outputs) p.outputTypes.push_back(t.dtype);
  int64_t longest = 1;
  for (const TensorDesc& t : d.inputs) {
    p.inputs.push_back(planInput(check, t, shape, compute));
    if (p.inputs.back().access == Access::kPeriodic && p.inputs.back().period <= kBlock) {
      longest = std::max(longest, p.inputs.back().period);
    }
  }
  p.block = kBlock / longest * longest;
  for (const ProgramStep& step : checkedProgram(check, d)) {
    p.steps.emplace_back(step);
    p.cost += step.info->cost;
  }
  p.results = d.results;
  allocateRegisters(&p);
  if (p.slots == 0 && std::none_of(p.stored.begin(), p.stored.end(), [](bool s) { return s; })) {
    p.block = std::max<int64_t>(p.size, 1);  // All in place: one instruction, one loop.
  }
  return p;
}

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
  const auto slot = [&](int s) { return scratch + s * p.slotSize(); };
  const auto read = [&](int r, int64_t at) -> const T* {
    if (r < 0) return nullptr;
    if (r < k) return p.inputs[r].slot >= 0 ? slot(p.inputs[r].slot) : static_cast<const T*>(pointers.inputs[r]) + at;
    const Step& step = p.steps[r - k];
    return step.output >= 0 ? static_cast<const T*>(pointers.outputs[step.output]) + at : slot(step.slot);
  };
  for (int r = 0; r < k; ++r) {
    if (p.inputs[r].once) load(p.inputs[r], pointers.inputs[r], slot(p.inputs[r].slot), 0, p.block);
  }
  for (const Step& step : p.steps) {
    if (step.hoisted)
      runOp(step.op, OpArgs<T>{slot(step.slot), nullptr, nullptr, nullptr, p.block, parameter<T>(step.p0),
                               parameter<T>(step.p1)});
  }
  for (int64_t i = begin; i < end; i += p.block) {
    const int64_t n = std::min(p.block, end - i);
    for (int r = 0; r < k; ++r) {
      const Input& input = p.inputs[r];
      if (input.slot >= 0 && !input.once) load(input, pointers.inputs[r], slot(input.slot), i, n);
    }
    for (const Step& step : p.steps) {
      if (step.hoisted) continue;
      T* y = step.output >= 0 ? static_cast<T*>(pointers.outputs[step.output]) + i : slot(step.slot);
      runOp(step.op, OpArgs<T>{y, read(step.args[0], i), read(step.args[1], i), read(step.args[2], i), n,
                               parameter<T>(step.p0), parameter<T>(step.p1)});
    }
    for (size_t j = 0; j < p.results.size(); ++j) {
      if (p.stored[j]) store(p.outputTypes[j], read(p.results[j], i), pointers.outputs[j], i, n);
    }
  }
}

}  // namespace

KernelPtr CpuBackend::prepareElementwise(const ElementwiseDesc& d) {
  Program p = compile(d);
  const size_t perThread = align64(static_cast<size_t>(p.slots * p.slotSize()) * sizeof(float));
  const size_t workspace = perThread * maxThreads();
  return makeKernel(
      [p = std::move(p), perThread](const Pointers& pointers) {
        // Parts are whole blocks, so that periodic inputs are in step with them.
        const int64_t unit = p.slots == 0 ? 64 : p.block, units = (p.size + unit - 1) / unit;
        parallelRanges(units, unit * p.cost, [&](int64_t begin, int64_t end, int thread) {
          char* scratch = static_cast<char*>(pointers.workspace) + perThread * thread;
          const int64_t from = begin * unit, to = std::min(end * unit, p.size);
          if (p.int32) {
            interpret(p, pointers, reinterpret_cast<int32_t*>(scratch), from, to);
          } else {
            interpret(p, pointers, reinterpret_cast<float*>(scratch), from, to);
          }
        });
      },
      workspace);
}

}  // namespace fovea::cpu
