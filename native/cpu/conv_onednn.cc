#include <cstring>
#include <optional>

#include "cpu/conv.h"
#include "cpu/onednn.h"
#include "cpu/packed.h"
#include "cpu/parallel.h"

/**
 * @file
 * Convolutions by oneDNN. Weights are always in the layout the primitive likes, reordered from and to HWIO in the
 * workspace; activations stay NHWC, or are reordered too for the blocked kernels. A residual is added by the primitive
 * where its implementation can, else to y when it is done, together with ReLU. (oneDNN 2.6's Winograd was measured
 * and left out: with the reorders it needs, the one in conv_winograd.cc is half as fast again.)
 */
namespace fovea::cpu {
namespace {

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
 * Whether oneDNN's sums with a tensor can be trusted. 2.6's `jit:avx2` takes the wrong elements of it, with groups and
 * with padding, at any number of channels. Pointwise convolutions have code of their own, without tails it was right.
 */
bool addsRightly(const Conv& v) {
  constexpr int64_t kWidest = 16;  // Floats of a register, AVX-512's.
  return v.pointwise() && v.groups == 1 && v.o % kWidest == 0;
}

/**
 * The forward primitive. One that adds the residual itself is taken when that costs it neither its implementation nor
 * its layout; in bfloat16 no other will do, since it would round before the residual is added.
 */
std::optional<Chosen> pickForward(const Conv& v, const dl::ConvProblem& p) {
  const auto plain = dl::convForward(p, dl::attributes(v.relu && !v.residual));
  if (isReference(plain)) return std::nullopt;
  Chosen chosen = forwardOf<dl::ConvForward>(plain);
  if (!v.residual) return chosen;
  const dl::Desc residual = nhwcDst(v);
  if (chosen.dst == residual && addsRightly(v)) {
    try {
      const auto pd = dl::convForward(p, dl::attributes(v.relu, &residual));
      if (pd.impl_info_str() == chosen.name && pd.dst_desc() == residual) {
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

/** An operand: where the caller has it, and in the primitive's layout (in the workspace where they differ). */
struct Operand {
  std::optional<dl::Exec> reorder;
  size_t offset = 0;
};

class OnednnConv final : public Kernel {
 public:
  OnednnConv(const Conv& v, Chosen chosen)
      : conv_(v),
        name_(std::move(chosen.name)),
        addsAfter_(v.residual && !chosen.addsResidual),
        packed_(v.steady, chosen.weights.get_size()),
        main_(chosen.primitive) {
    size_t scratch = chosen.scratchpad.get_size();
    src_ = operand(nhwc(v, v.c, v.h, v.w), chosen.src, v.kind == ConvKind::kBackwardInput, &scratch);
    weights_ = operand(hwio(v), chosen.weights, v.kind == ConvKind::kBackwardKernel, &scratch);
    dst_ = operand(nhwcDst(v), chosen.dst, v.kind == ConvKind::kForward, &scratch);
    scratch_ = layout_.take(scratch);
    const bool forward = v.kind == ConvKind::kForward;
    main_.add(v.kind == ConvKind::kBackwardInput ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, chosen.src);
    main_.add(v.kind == ConvKind::kBackwardKernel ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, chosen.weights);
    main_.add(forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, chosen.dst);
    main_.add(DNNL_ARG_SCRATCHPAD, chosen.scratchpad);
    if (v.bias) {
      const dl::Desc bias(dl::DnnlDims{v.o}, dl::typeOf(v.biasType), dl::Tag::x);
      main_.add(forward ? DNNL_ARG_BIAS : DNNL_ARG_DIFF_BIAS, bias);
    }
    if (chosen.addsResidual) main_.add(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, nhwcDst(v));
  }

  size_t workspaceBytes() const override { return layout_.bytes(); }
  std::string implementation() const override { return name_; }

  void launch(Stream&, const Pointers& p) override {
    const auto scope = threads_.scope();
    switch (conv_.kind) {
      case ConvKind::kForward:
        before(src_, p.inputs[0], 0, p.workspace);
        pack(p);
        bind(dst_, p.outputs[0], 2, p.workspace);
        if (conv_.residual && !addsAfter_) main_.set(conv_.bias ? 5 : 4, p.inputs[conv_.residualInput()]);
        run(p, conv_.bias ? p.inputs[2] : nullptr);
        after(dst_, p.outputs[0], p.workspace);
        if (addsAfter_) addResidual(p);
        return;
      case ConvKind::kBackwardInput:
        before(dst_, p.inputs[0], 2, p.workspace);
        pack(p);
        bind(src_, p.outputs[0], 0, p.workspace);
        run(p, nullptr);
        return after(src_, p.outputs[0], p.workspace);
      case ConvKind::kBackwardKernel:
        before(src_, p.inputs[0], 0, p.workspace);
        before(dst_, p.inputs[1], 2, p.workspace);
        bind(weights_, p.outputs[0], 1, p.workspace);
        run(p, conv_.bias ? p.outputs[1] : nullptr);
        return after(weights_, p.outputs[0], p.workspace);
    }
  }

 private:
  Operand operand(const dl::Desc& user, const dl::Desc& wanted, bool output, size_t* scratch) {
    Operand result;
    if (user == wanted) return result;
    result.offset = layout_.take(wanted.get_size());
    size_t bytes = 0;
    result.reorder = output ? dl::reorder(wanted, user, &bytes) : dl::reorder(user, wanted, &bytes);
    *scratch = std::max(*scratch, bytes);
    return result;
  }

  void bind(Operand& operand, const void* user, size_t index, void* workspace) {
    main_.set(index, operand.reorder ? at<char>(workspace, operand.offset) : user);
  }
  void before(Operand& operand, const void* user, size_t index, void* workspace) {
    bind(operand, user, index, workspace);
    if (operand.reorder) runReorder(operand, user, at<char>(workspace, operand.offset), workspace);
  }
  void pack(const Pointers& p) {
    if (!weights_.reorder) return bind(weights_, p.inputs[1], 1, p.workspace);
    main_.set(1, packed_.get(p, 1, at<char>(p.workspace, weights_.offset),
                             [&](void* to) { runReorder(weights_, p.inputs[1], to, p.workspace); }));
  }
  void after(Operand& operand, void* user, void* workspace) {
    if (operand.reorder) runReorder(operand, at<char>(workspace, operand.offset), user, workspace);
  }
  void runReorder(Operand& operand, const void* from, const void* to, void* workspace) {
    operand.reorder->set(0, from);
    operand.reorder->set(1, to);
    operand.reorder->set(2, at<char>(workspace, scratch_));
    operand.reorder->run();
  }
  void addResidual(const Pointers& p) const {
    const auto* residual = in<float>(p, conv_.residualInput());
    parallelRanges(conv_.n * conv_.oh * conv_.ow, conv_.o, [&](int64_t begin, int64_t end, int) {
      const int64_t offset = begin * conv_.o;
      finishRows(out<float>(p, 0) + offset, end - begin, conv_.o, nullptr, residual + offset, conv_.relu);
    });
  }
  void run(const Pointers& p, const void* bias) {
    main_.set(3, at<char>(p.workspace, scratch_));
    if (bias != nullptr) main_.set(4, bias);
    main_.run();
  }

  PreparedThreads threads_;
  Conv conv_;
  std::string name_;
  bool addsAfter_;  ///< The residual and ReLU come after the primitive.
  Layout layout_;
  size_t scratch_ = 0;
  Operand src_, weights_, dst_;
  Packed packed_;
  dl::Exec main_;
};

KernelPtr make(const Conv& v, bool blocked) {
  return dl::guarded("conv2d", [&]() -> KernelPtr {
    auto chosen = pick(v, blocked);
    if (!chosen || pairsAcrossPositions(v, chosen->name) || sharesStridedCopies(v, chosen->name)) return nullptr;
    return std::make_unique<OnednnConv>(v, std::move(*chosen));
  });
}

}  // namespace

KernelPtr makeOnednnConv(const Conv& v) { return make(v, false); }

KernelPtr makeOnednnBlockedConv(const Conv& v) { return make(v, true); }

}  // namespace fovea::cpu
