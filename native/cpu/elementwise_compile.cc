#include "cpu/elementwise_compile.h"

#include <algorithm>

#include "core/check_operands.h"

namespace fovea::cpu {
namespace {

constexpr int64_t kBlock = 512;
constexpr int kForever = 1 << 30;

Input planInput(const Check& check, const TensorDesc& t, const Dims& shape, DType compute) {
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

}  // namespace

Program compileProgram(const char* kernel, const ElementwiseDesc& d) {
  const Check check(kernel, d);
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
    p.inputs.back().operand = p.inputs.size() - 1;
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

}  // namespace fovea::cpu
