#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "cpu/conv.h"
#include "cpu/conv_pieces.h"
#include "cpu/conv_primitives.h"
#include "cpu/packed.h"
#include "cpu/parallel.h"

/**
 * @file
 * Convolutions by oneDNN, pointwise ones by its matrix products too. Weights are always in the layout the primitive
 * likes, reordered from and to HWIO in the workspace; activations stay NHWC, or are reordered too for the blocked
 * kernels. A residual is added by the primitive where its implementation can, else to y when it is done, together with
 * ReLU. (oneDNN 2.6's Winograd was measured and left out: with the reorders it needs, the one in conv_winograd.cc is
 * half as fast again.)
 */
namespace fovea::cpu {
namespace {

constexpr int64_t kFloatsPerWork = 8;  ///< Copied in the time of an operation.

/** An operand: where the caller has it, and in the primitive's layout (in the workspace where they differ). */
struct Operand {
  std::optional<dl::Exec> reorder;
  size_t offset = 0;
};

class OnednnConv final : public Kernel {
 public:
  /** `chosen` are the primitives of the sizes of pieces, largest first, with one layout of the kernel. */
  OnednnConv(const Pieces& pieces, const std::vector<ConvPrimitive>& chosen)
      : pieces_(pieces),
        conv_(pieces.conv),
        name_(chosen[0].name),
        addsAfter_(conv_.residual && !chosen[0].addsResidual),
        packed_(conv_.steady, chosen[0].own.weights.get_size()) {
    const Conv& v = conv_;
    const auto& [own, user] = std::tie(chosen[0].own, chosen[0].user);
    size_t scratch = 0;
    for (const ConvPrimitive& c : chosen) scratch = std::max(scratch, c.scratchpad.get_size());
    if (pieces_.whole()) {
      src_ = operand(user.src, own.src, v.kind == ConvKind::kBackwardInput, &scratch);
      dst_ = operand(user.dst, own.dst, v.kind == ConvKind::kForward, &scratch);
    }
    weights_ = operand(user.weights, own.weights, v.kind == ConvKind::kBackwardKernel, &scratch);
    perThread_ = align64(scratch);
    const int64_t threads = pieces_.whole() ? 1 : maxThreads();
    scratch_ = layout_.take(perThread_ * threads);
    sizes_ = static_cast<int64_t>(chosen.size());
    for (int64_t i = 0; i < threads * sizes_; ++i) mains_.push_back(execOf(chosen[i % sizes_]));
  }

  size_t workspaceBytes() const override { return layout_.bytes(); }
  std::string implementation() const override { return name_; }

  void launch(Stream&, const Pointers& p) override {
    const auto scope = threads_.scope();
    switch (conv_.kind) {
      case ConvKind::kForward:
        before(src_, p.inputs[0], p.workspace);
        run(p, place(src_, p.inputs[0], p.workspace), pack(p), place(dst_, p.outputs[0], p.workspace),
            conv_.bias ? p.inputs[2] : nullptr);
        after(dst_, p.outputs[0], p.workspace);
        if (addsAfter_) addResidual(p);
        return;
      case ConvKind::kBackwardInput:
        before(dst_, p.inputs[0], p.workspace);
        run(p, place(src_, p.outputs[0], p.workspace), pack(p), place(dst_, p.inputs[0], p.workspace), nullptr);
        return after(src_, p.outputs[0], p.workspace);
      case ConvKind::kBackwardKernel:
        before(src_, p.inputs[0], p.workspace);
        before(dst_, p.inputs[1], p.workspace);
        run(p, place(src_, p.inputs[0], p.workspace), place(weights_, p.outputs[0], p.workspace),
            place(dst_, p.inputs[1], p.workspace), conv_.bias ? p.outputs[1] : nullptr);
        return after(weights_, p.outputs[0], p.workspace);
    }
  }

 private:
  enum Argument : size_t { kSrc, kWeights, kDst, kScratch, kBias };

  dl::Exec execOf(const ConvPrimitive& chosen) const {
    dl::Exec exec(chosen.primitive);
    exec.add(chosen.arguments.src, chosen.own.src);
    exec.add(chosen.arguments.weights, chosen.own.weights);
    exec.add(chosen.arguments.dst, chosen.own.dst);
    exec.add(DNNL_ARG_SCRATCHPAD, chosen.scratchpad);
    if (conv_.bias) exec.add(chosen.arguments.bias, chosen.bias);
    return exec;
  }

  Operand operand(const dl::Desc& user, const dl::Desc& wanted, bool output, size_t* scratch) {
    Operand result;
    if (user == wanted) return result;
    result.offset = layout_.take(wanted.get_size());
    size_t bytes = 0;
    result.reorder = output ? dl::reorder(wanted, user, &bytes) : dl::reorder(user, wanted, &bytes);
    *scratch = std::max(*scratch, bytes);
    return result;
  }

  /** Where the primitive has an operand. */
  static const void* place(const Operand& operand, const void* user, void* workspace) {
    return operand.reorder ? at<char>(workspace, operand.offset) : user;
  }
  void before(Operand& operand, const void* user, void* workspace) {
    if (operand.reorder) runReorder(operand, user, place(operand, user, workspace), workspace);
  }
  void after(Operand& operand, void* user, void* workspace) {
    if (operand.reorder) runReorder(operand, place(operand, user, workspace), user, workspace);
  }
  const void* pack(const Pointers& p) {
    if (!weights_.reorder) return p.inputs[1];
    return packed_.get(p, 1, at<char>(p.workspace, weights_.offset),
                       [&](void* to) { runReorder(weights_, p.inputs[1], to, p.workspace); });
  }
  void runReorder(Operand& operand, const void* from, const void* to, void* workspace) {
    operand.reorder->set(0, from);
    operand.reorder->set(1, to);
    operand.reorder->set(2, at<char>(workspace, scratch_));
    operand.reorder->run();
  }
  void copyResidual(const Pointers& p) const {
    const auto row = static_cast<int64_t>(conv_.o * bytesPerElement(conv_.type));
    parallelRanges(conv_.n * conv_.oh * conv_.ow, conv_.o / kFloatsPerWork, [&](int64_t begin, int64_t end, int) {
      std::memcpy(out<char>(p, 0) + begin * row, in<char>(p, conv_.residualInput()) + begin * row, (end - begin) * row);
    });
  }
  void addResidual(const Pointers& p) const {
    const auto* residual = in<float>(p, conv_.residualInput());
    parallelRanges(conv_.n * conv_.oh * conv_.ow, conv_.o, [&](int64_t begin, int64_t end, int) {
      const int64_t offset = begin * conv_.o;
      finishRows(out<float>(p, 0) + offset, end - begin, conv_.o, nullptr, residual + offset, conv_.relu);
    });
  }

  void run(const Pointers& p, const void* src, const void* weights, const void* dst, const void* bias) {
    const void* residual = conv_.residual && !addsAfter_ ? p.inputs[conv_.residualInput()] : nullptr;
    const auto bytes = static_cast<int64_t>(bytesPerElement(conv_.type));
    const auto runPiece = [&](int64_t i, int64_t thread) {
      const int64_t first = pieces_.parts.begin(i), smaller = pieces_.parts.largest() - pieces_.parts.size(i);
      const int64_t source = first * pieces_.srcItem() * bytes, target = first * pieces_.dstItem() * bytes;
      dl::Exec& exec = mains_[thread * sizes_ + smaller];
      exec.set(kSrc, static_cast<const char*>(src) + source);
      exec.set(kWeights, weights);
      exec.set(kDst, static_cast<const char*>(dst) + target);
      exec.set(kScratch, at<char>(p.workspace, scratch_ + perThread_ * thread));
      if (bias != nullptr) exec.set(kBias, bias);
      if (residual != nullptr && !pieces_.whole()) {
        const int64_t size = pieces_.parts.size(i) * pieces_.dstItem() * bytes;
        std::memcpy(out<char>(p, 0) + target, static_cast<const char*>(residual) + target, size);
      }
      exec.run();
    };
    if (pieces_.whole()) {
      if (residual != nullptr) copyResidual(p);
      return runPiece(0, 0);
    }
    std::atomic<bool> failed = false;
    parallelRanges(pieces_.parts.parts, int64_t{1} << 20, [&](int64_t begin, int64_t end, int thread) {
      try {
        for (int64_t i = begin; i < end; ++i) runPiece(i, thread);
      } catch (...) {
        failed = true;  // An exception may not leave the parallel region.
      }
    });
    if (failed) throw Error("ERR_EXECUTION", std::string(nameOf(conv_.kind)) + ": oneDNN failed to run a piece");
  }

  PreparedThreads threads_;
  Pieces pieces_;
  Conv conv_;
  std::string name_;
  bool addsAfter_;  ///< The residual and ReLU come after the primitive.
  Layout layout_;
  size_t scratch_ = 0, perThread_ = 0;
  Operand src_, weights_, dst_;
  Packed packed_;
  int64_t sizes_ = 1;
  std::vector<dl::Exec> mains_;  ///< [threads][sizes]: a primitive's arguments are set before each run.
};

/** The primitives of the pieces' sizes, largest first; none where operands would have to be reordered for them. */
std::vector<ConvPrimitive> pickPieces(const Pieces& pieces, ConvPicker pick) {
  const PreparedThreads::Scope single(1);
  const Parts& parts = pieces.parts;
  std::vector<ConvPrimitive> list;
  for (int64_t size = parts.largest(); size >= parts.count / parts.parts; --size) {
    auto chosen = pick(pieces.of(size));
    if (!chosen || !chosen->inPlace()) return {};
    if (!list.empty() && (chosen->own.weights != list[0].own.weights || chosen->addsResidual != list[0].addsResidual))
      return {};
    list.push_back(std::move(*chosen));
  }
  return list;
}

KernelPtr make(const Conv& v, ConvPicker pick) {
  return dl::guarded("conv2d", [&]() -> KernelPtr {
    Pieces pieces(v);
    if (pick != pickBlocked && !pieces.whole()) {
      const std::vector<ConvPrimitive> list = pickPieces(pieces, pick);
      if (!list.empty()) return std::make_unique<OnednnConv>(pieces, list);
    }
    auto chosen = pick(v);
    if (!chosen) return nullptr;
    pieces.parts = Parts(1, 1);
    return std::make_unique<OnednnConv>(pieces, std::vector<ConvPrimitive>{std::move(*chosen)});
  });
}

}  // namespace

KernelPtr makeOnednnConv(const Conv& v) { return make(v, pickPlain); }

KernelPtr makeOnednnBlockedConv(const Conv& v) { return make(v, pickBlocked); }

KernelPtr makeMatmulConv(const Conv& v) { return make(v, pickMatmul); }

}  // namespace fovea::cpu
