#include "cpu/narrow.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "cpu/parallel.h"

namespace fovea::cpu {
namespace {

// One clone set for each type.
#define FOVEA_CONVERSIONS(T)                                                \
  FOVEA_CLONES void widenRange(const T* x, float* y, int64_t n) {           \
    _Pragma("omp simd") for (int64_t i = 0; i < n; ++i) y[i] = load(x[i]);  \
  }                                                                         \
  FOVEA_CLONES void narrowRange(const float* x, T* y, int64_t n) {          \
    _Pragma("omp simd") for (int64_t i = 0; i < n; ++i) store(y + i, x[i]); \
  }
FOVEA_CONVERSIONS(BFloat16)
FOVEA_CONVERSIONS(Float16)
#undef FOVEA_CONVERSIONS

/** Calls `body` with a null pointer of the type that stands for a float of 16 bits. */
template <class Body>
void withNarrowType(DType dtype, const Body& body) {
  if (dtype == DType::kFloat16) return body(static_cast<Float16*>(nullptr));
  body(static_cast<BFloat16*>(nullptr));
}

/** One operand that is held in float32 in the workspace while the inner kernel runs. */
struct Held {
  size_t operand, offset;
  int64_t size;
  DType dtype;
};

class ConvertingKernel final : public Kernel {
 public:
  ConvertingKernel(const Operands& operands, KernelPtr kernel)
      : kernel_(std::move(kernel)), inputs_(operands.inputs.size()), outputs_(operands.outputs.size()) {
    layout_.take(kernel_->workspaceBytes());  // At the front, where it starts on a cache line.
    const auto hold = [&](const std::vector<TensorDesc>& list, std::vector<Held>* held) {
      for (size_t i = 0; i < list.size(); ++i) {
        if (!isNarrow(list[i].dtype)) continue;
        const int64_t size = list[i].size();
        held->push_back({i, layout_.take(static_cast<size_t>(size) * sizeof(float)), size, list[i].dtype});
      }
    };
    hold(operands.inputs, &heldInputs_);
    hold(operands.outputs, &heldOutputs_);
  }

  size_t workspaceBytes() const override { return layout_.bytes(); }
  std::string implementation() const override { return "f32:" + kernel_->implementation(); }

  void launch(Stream& stream, const Pointers& p) override {
    {
      const auto scope = threads_.scope();
      std::copy_n(p.inputs, inputs_.size(), inputs_.begin());
      std::copy_n(p.outputs, outputs_.size(), outputs_.begin());
      for (const Held& h : heldInputs_) {
        auto* to = at<float>(p.workspace, h.offset);
        withNarrowType(h.dtype, [&](auto* type) {
          const auto* x = static_cast<decltype(type)>(const_cast<void*>(p.inputs[h.operand]));
          overParts(h.size, [&](int64_t from, int64_t n) { widen(x + from, to + from, n); });
        });
        inputs_[h.operand] = to;
      }
      for (const Held& h : heldOutputs_) outputs_[h.operand] = at<float>(p.workspace, h.offset);
    }
    kernel_->launch(stream, Pointers{inputs_.data(), outputs_.data(), p.workspace, p.versions});
    const auto scope = threads_.scope();
    for (const Held& h : heldOutputs_) {
      const auto* from = at<float>(p.workspace, h.offset);
      withNarrowType(h.dtype, [&](auto* type) {
        auto* y = static_cast<decltype(type)>(p.outputs[h.operand]);
        overParts(h.size, [&](int64_t i, int64_t n) { narrow(from + i, y + i, n); });
      });
    }
  }

 private:
  template <class Body>
  static void overParts(int64_t size, const Body& body) {
    constexpr int64_t kUnit = 64;  // A cache line of the narrow side and more.
    parallelRanges((size + kUnit - 1) / kUnit, kUnit, [&](int64_t begin, int64_t end, int) {
      body(begin * kUnit, std::min(end * kUnit, size) - begin * kUnit);
    });
  }

  PreparedThreads threads_;
  KernelPtr kernel_;
  Layout layout_;
  std::vector<const void*> inputs_;
  std::vector<void*> outputs_;
  std::vector<Held> heldInputs_, heldOutputs_;
};

}  // namespace

void widen(const BFloat16* x, float* y, int64_t n) { widenRange(x, y, n); }

void widen(const Float16* x, float* y, int64_t n) { widenRange(x, y, n); }

void narrow(const float* x, BFloat16* y, int64_t n) { narrowRange(x, y, n); }

void narrow(const float* x, Float16* y, int64_t n) { narrowRange(x, y, n); }

bool uses(const Operands& operands, DType dtype) {
  const auto is = [dtype](const TensorDesc& t) { return t.dtype == dtype; };
  return std::any_of(operands.inputs.begin(), operands.inputs.end(), is) ||
         std::any_of(operands.outputs.begin(), operands.outputs.end(), is);
}

KernelPtr converting(const Operands& operands, KernelPtr kernel) {
  return std::make_unique<ConvertingKernel>(operands, std::move(kernel));
}

}  // namespace fovea::cpu
