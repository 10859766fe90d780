#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cpu/conv.h"
#include "cpu/onednn.h"
#include "cpu/packed.h"
#include "cpu/parallel.h"
#include "cpu/parts.h"

/**
 * @file
 * Convolutions by oneDNN. Weights are always in the layout the primitive likes, reordered from and to HWIO in the
 * workspace; activations stay NHWC, or are reordered too for the blocked kernels. A residual is added by the primitive
 * where its implementation can, else to y when it is done, together with ReLU. (oneDNN 2.6's Winograd was measured
 * and left out: with the reorders it needs, the one in conv_winograd.cc is half as fast again.)
 */
namespace fovea::cpu {
namespace {

constexpr double kPieceFlops = 8e6;       ///< Of a piece at least: a tenth of a millisecond.
constexpr int64_t kPiecesPerThread = 32;  ///< At most.
constexpr int64_t kFloatsPerWork = 8;     ///< Copied in the time of an operation.
constexpr int64_t kLeastPositions = 48;   ///< Of a piece: with fewer, reading the kernel would be most of the work.

/** A primitive of one direction with what the kernel needs to know of it. */
struct Chosen {
  dnnl::primitive primitive;
  dl::Desc src, weights, dst, scratchpad;
  std::string name;
  bool addsResidual = false;
};

dl::Desc nhwc(const Conv& v, int64_t channels, int64_t height, int64_t width) {
  return dl::Desc(dl::DnnlDims{v.n, channels, height, width}, dl::typeOf(v.type), dl::Tag::nhwc);
}
dl::Desc nhwcDst(const Conv& v) { return nhwc(v, v.o, v.oh, v.ow); }

dl::Desc hwio(const Conv& v) {
  const auto type = dl::typeOf(v.kernelType);
  if (v.groups == 1) return dl::Desc(dl::DnnlDims{v.o, v.c, v.kh, v.kw}, type, dl::Tag::hwio);
  return dl::Desc(dl::DnnlDims{v.groups, v.og(), v.cg(), v.kh, v.kw}, type,
                  dl::DnnlDims{v.og(), 1, v.o, v.kw * v.cg() * v.o, v.cg() * v.o});
}

template <class Pd>
bool isReference(const Pd& pd) {
  return std::string(pd.impl_info_str()).rfind("ref", 0) == 0;
}

/**
 * oneDNN 2.6's `brgconv:avx512_core` gives wrong sums in columns whose dilated window reaches beyond the image on both
 * sides (width 7, kernel 5, dilation 2, padding 4: column 3).
 */
bool reachesBeyondBothSides(const Conv& v) { return v.dw > 1 && (v.kw - 1) * v.dw + 1 > v.w; }

/**
 * oneDNN 2.6's `jit_bf16_1x1` multiplies channels in pairs; with an odd number of them to sum over it takes, at some
 * sizes of image, the next position's first channel for the last one's partner (gradient by the input of 5x6 positions,
 * 1 channel).
 */
bool pairsAcrossPositions(const Conv& v, const std::string& name) {
  const int64_t summed = v.kind == ConvKind::kForward ? v.cg() : v.og();
  return name.rfind("jit_bf16_1x1", 0) == 0 && v.kind != ConvKind::kBackwardKernel && summed % 2 != 0;
}

/**
 * oneDNN 2.6's `jit_1x1:avx2` with strides gives wrong kernel gradients of fewer than 8 channels, other ones from run
 * to run, when there are several threads: their copies of the positions that count are written in blocks of 8 channels,
 * one thread's into the next one's.
 */
bool sharesStridedCopies(const Conv& v, const std::string& name) {
  const bool strided = v.sh > 1 || v.sw > 1;
  return name.rfind("jit_1x1", 0) == 0 && v.kind == ConvKind::kBackwardKernel && strided && v.cg() % 8 != 0;
}

/** Whether element `k` of a window meets the padding alone. */
bool meetsPaddingAlone(int64_t k, int64_t count, int64_t stride, int64_t dilation, int64_t before, int64_t size) {
  for (int64_t i = 0; i < count; ++i) {
    const int64_t at = i * stride - before + k * dilation;
    if (at >= 0 && at < size) return false;
  }
  return true;
}

/** oneDNN 2.6's `jit_bf16` gives such elements of a kernel gradient values other than 0. */
bool hasIdleElements(const Conv& v) {
  for (int64_t k = 0; k < v.kh; ++k) {
    if (meetsPaddingAlone(k, v.oh, v.sh, v.dh, v.top, v.h)) return true;
  }
  for (int64_t k = 0; k < v.kw; ++k) {
    if (meetsPaddingAlone(k, v.ow, v.sw, v.dw, v.left, v.w)) return true;
  }
  return false;
}

template <class Primitive, class Pd>
Chosen forwardOf(const Pd& pd) {
  return {Primitive(pd), pd.src_desc(), pd.weights_desc(), pd.dst_desc(), pd.scratchpad_desc(), pd.impl_info_str()};
}

/**
 * The forward primitive. One that adds to what y holds is taken when that costs it neither its implementation nor its
 * layout; in bfloat16 no other will do, since it would round before the residual is added. (2.6 can read the residual
 * from where it is, too, with a binary post-op: half as fast again in `jit_1x1:avx2`, and wrong in `jit:avx2`.)
 */
std::optional<Chosen> pickForward(const Conv& v, const dl::ConvProblem& p) {
  const auto plain = dl::convForward(p, dl::attributes(v.relu && !v.residual));
  if (isReference(plain)) return std::nullopt;
  Chosen chosen = forwardOf<dl::ConvForward>(plain);
  if (!v.residual) return chosen;
  if (chosen.dst == nhwcDst(v)) {
    try {
      const auto pd = dl::convForward(p, dl::attributes(v.relu, true));
      if (pd.impl_info_str() == chosen.name && pd.dst_desc() == chosen.dst) {
        chosen = forwardOf<dl::ConvForward>(pd);
        chosen.addsResidual = true;
        return chosen;
      }
    } catch (const dnnl::error&) {
      // This implementation cannot.
    }
  }
  if (v.type != DType::kFloat32) return std::nullopt;
  return chosen;
}

std::optional<Chosen> pick(const Conv& v, bool blocked) {
  if (reachesBeyondBothSides(v)) return std::nullopt;
  if (v.type != DType::kFloat32 && v.kind == ConvKind::kBackwardKernel && hasIdleElements(v)) return std::nullopt;
  const auto tag = blocked ? dl::Tag::any : dl::Tag::nhwc;
  const auto type = dl::typeOf(v.type);
  // Kernels are multiplied in the type of the images, whatever theirs is: the reorder converts. Gradients may be wider.
  const auto kernelType = v.kind == ConvKind::kBackwardKernel ? dl::typeOf(v.kernelType) : type;
  dl::ConvProblem p;
  p.src = dl::Desc(dl::DnnlDims{v.n, v.c, v.h, v.w}, type, tag);
  p.dst = dl::Desc(dl::DnnlDims{v.n, v.o, v.oh, v.ow}, type, tag);
  p.weights = v.groups == 1 ? dl::Desc(dl::DnnlDims{v.o, v.c, v.kh, v.kw}, kernelType, dl::Tag::any)
                            : dl::Desc(dl::DnnlDims{v.groups, v.og(), v.cg(), v.kh, v.kw}, kernelType, dl::Tag::any);
  if (v.bias) p.bias = dl::Desc(dl::DnnlDims{v.o}, dl::typeOf(v.biasType), dl::Tag::x);
  p.strides = {v.sh, v.sw};
  p.dilations = {v.dh - 1, v.dw - 1};
  p.padLow = {v.top, v.left};
  // oneDNN wants the padding that the windows reach, not what rounding down leaves over.
  p.padHigh = {(v.oh - 1) * v.sh + (v.kh - 1) * v.dh + 1 - v.h - v.top,
               (v.ow - 1) * v.sw + (v.kw - 1) * v.dw + 1 - v.w - v.left};
  try {
    switch (v.kind) {
      case ConvKind::kForward:
        return pickForward(v, p);
      case ConvKind::kBackwardInput: {
        const auto pd = dl::convBackwardData(p, dl::attributes());
        if (isReference(pd)) return std::nullopt;
        return Chosen{dl::ConvBackwardData(pd), pd.diff_src_desc(),   pd.weights_desc(),
                      pd.diff_dst_desc(),       pd.scratchpad_desc(), pd.impl_info_str()};
      }
      case ConvKind::kBackwardKernel: {
        const auto pd = dl::convBackwardWeights(p, dl::attributes());
        if (isReference(pd)) return std::nullopt;
        return Chosen{dl::ConvBackwardWeights(pd), pd.src_desc(),        pd.diff_weights_desc(),
                      pd.diff_dst_desc(),          pd.scratchpad_desc(), pd.impl_info_str()};
      }
    }
  } catch (const dnnl::error&) {
    // This library has no such implementation.
  }
  return std::nullopt;
}

/**
 * A convolution cut into pieces of whole images, or of positions where it is pointwise, which threads take in turn.
 * oneDNN's own threads get a fixed share each, and all wait for the one that another process holds up.
 */
struct Pieces {
  Conv conv;
  bool positions;
  Parts parts;

  static int64_t items(const Conv& v, bool positions) { return positions ? v.n * v.h * v.w : v.n; }

  explicit Pieces(const Conv& v) : conv(v), positions(v.pointwise() && v.groups == 1), parts(items(v, positions), 1) {
    const int64_t count = items(v, positions), least = positions ? kLeastPositions : 1, threads = maxThreads();
    const auto byWork = static_cast<int64_t>(v.flops() / kPieceFlops);
    const int64_t most = std::min({kPiecesPerThread * threads, byWork, count / least});
    const bool whole = threads == 1 || v.kind == ConvKind::kBackwardKernel || most < threads;
    parts = Parts(count, whole ? std::max<int64_t>(count, 1) : ceilDivide(count, most / threads * threads));
  }
  bool whole() const { return parts.parts <= 1; }
  /** The convolution of `size` items. */
  Conv of(int64_t size) const {
    if (whole()) return conv;
    Conv v = conv;
    v.n = positions ? 1 : size;
    if (positions) v.h = v.oh = size, v.w = v.ow = 1;
    return v;
  }
  /** Values of an item on either side. */
  int64_t srcItem() const { return (positions ? 1 : conv.h * conv.w) * conv.c; }
  int64_t dstItem() const { return (positions ? 1 : conv.oh * conv.ow) * conv.o; }
};

/** An operand: where the caller has it, and in the primitive's layout (in the workspace where they differ). */
struct Operand {
  std::optional<dl::Exec> reorder;
  size_t offset = 0;
};

class OnednnConv final : public Kernel {
 public:
  /** `chosen` are the primitives of the sizes of pieces, largest first, with one layout of the kernel. */
  OnednnConv(const Pieces& pieces, const std::vector<Chosen>& chosen)
      : pieces_(pieces),
        conv_(pieces.conv),
        name_(chosen[0].name),
        addsAfter_(conv_.residual && !chosen[0].addsResidual),
        packed_(conv_.steady, chosen[0].weights.get_size()) {
    const Conv& v = conv_;
    size_t scratch = 0;
    for (const Chosen& c : chosen) scratch = std::max(scratch, c.scratchpad.get_size());
    if (pieces_.whole()) {
      src_ = operand(nhwc(v, v.c, v.h, v.w), chosen[0].src, v.kind == ConvKind::kBackwardInput, &scratch);
      dst_ = operand(nhwcDst(v), chosen[0].dst, v.kind == ConvKind::kForward, &scratch);
    }
    weights_ = operand(hwio(v), chosen[0].weights, v.kind == ConvKind::kBackwardKernel, &scratch);
    perThread_ = align64(scratch);
    const int64_t threads = pieces_.whole() ? 1 : maxThreads();
    scratch_ = layout_.take(perThread_ * threads);
    sizes_ = static_cast<int64_t>(chosen.size());
    for (int64_t i = 0; i < threads * sizes_; ++i) {
      const int64_t size = pieces_.parts.largest() - i % sizes_;
      mains_.push_back(execOf(chosen[i % sizes_], pieces_.of(size)));
    }
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

  static dl::Exec execOf(const Chosen& chosen, const Conv& v) {
    const bool forward = v.kind == ConvKind::kForward;
    dl::Exec exec(chosen.primitive);
    exec.add(v.kind == ConvKind::kBackwardInput ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, chosen.src);
    exec.add(v.kind == ConvKind::kBackwardKernel ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, chosen.weights);
    exec.add(forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, chosen.dst);
    exec.add(DNNL_ARG_SCRATCHPAD, chosen.scratchpad);
    if (v.bias) {
      const dl::Desc bias(dl::DnnlDims{v.o}, dl::typeOf(v.biasType), dl::Tag::x);
      exec.add(forward ? DNNL_ARG_BIAS : DNNL_ARG_DIFF_BIAS, bias);
    }
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

std::optional<Chosen> pickRight(const Conv& v, bool blocked) {
  auto chosen = pick(v, blocked);
  if (!chosen || pairsAcrossPositions(v, chosen->name) || sharesStridedCopies(v, chosen->name)) return std::nullopt;
  return chosen;
}

/** The primitives of the pieces' sizes, largest first; none where operands would have to be reordered for them. */
std::vector<Chosen> pickPieces(const Pieces& pieces) {
  const PreparedThreads::Scope single(1);
  const Parts& parts = pieces.parts;
  std::vector<Chosen> list;
  for (int64_t size = parts.largest(); size >= parts.count / parts.parts; --size) {
    const Conv v = pieces.of(size);
    auto chosen = pickRight(v, false);
    if (!chosen || chosen->src != nhwc(v, v.c, v.h, v.w) || chosen->dst != nhwcDst(v)) return {};
    if (!list.empty() && (chosen->weights != list[0].weights || chosen->addsResidual != list[0].addsResidual))
      return {};
    list.push_back(std::move(*chosen));
  }
  return list;
}

KernelPtr make(const Conv& v, bool blocked) {
  return dl::guarded("conv2d", [&]() -> KernelPtr {
    Pieces pieces(v);
    if (!blocked && !pieces.whole()) {
      const std::vector<Chosen> list = pickPieces(pieces);
      if (!list.empty()) return std::make_unique<OnednnConv>(pieces, list);
    }
    auto chosen = pickRight(v, blocked);
    if (!chosen) return nullptr;
    pieces.parts = Parts(1, 1);
    return std::make_unique<OnednnConv>(pieces, std::vector<Chosen>{std::move(*chosen)});
  });
}

}  // namespace

KernelPtr makeOnednnConv(const Conv& v) { return make(v, false); }

KernelPtr makeOnednnBlockedConv(const Conv& v) { return make(v, true); }

}  // namespace fovea::cpu
