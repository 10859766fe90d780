#include "cpu/conv_primitives.h"

namespace fovea::cpu {
namespace {

dl::Desc nhwc(const Conv& v, int64_t channels, int64_t height, int64_t width) {
  return dl::Desc(dl::DnnlDims{v.n, channels, height, width}, dl::typeOf(v.type), dl::Tag::nhwc);
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
ConvPrimitive forwardOf(const Pd& pd) {
  return {Primitive(pd), pd.src_desc(), pd.weights_desc(), pd.dst_desc(), pd.scratchpad_desc(), pd.impl_info_str()};
}

/**
 * The forward primitive. One that adds to what y holds is taken when that costs it neither its implementation nor its
 * layout; in bfloat16 no other will do, since it would round before the residual is added. (2.6 can read the residual
 * from where it is, too, with a binary post-op: half as fast again in `jit_1x1:avx2`, and wrong in `jit:avx2`.)
 */
std::optional<ConvPrimitive> pickForward(const Conv& v, const dl::ConvProblem& p) {
  const auto plain = dl::convForward(p, dl::attributes(v.relu && !v.residual));
  if (isReference(plain)) return std::nullopt;
  ConvPrimitive chosen = forwardOf<dl::ConvForward>(plain);
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

std::optional<ConvPrimitive> pick(const Conv& v, bool blocked) {
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
        return ConvPrimitive{dl::ConvBackwardData(pd), pd.diff_src_desc(),   pd.weights_desc(),
                             pd.diff_dst_desc(),       pd.scratchpad_desc(), pd.impl_info_str()};
      }
      case ConvKind::kBackwardKernel: {
        const auto pd = dl::convBackwardWeights(p, dl::attributes());
        if (isReference(pd)) return std::nullopt;
        return ConvPrimitive{dl::ConvBackwardWeights(pd), pd.src_desc(),        pd.diff_weights_desc(),
                             pd.diff_dst_desc(),          pd.scratchpad_desc(), pd.impl_info_str()};
      }
    }
  } catch (const dnnl::error&) {
    // This library has no such implementation.
  }
  return std::nullopt;
}

}  // namespace

dl::Desc nhwcSrc(const Conv& v) { return nhwc(v, v.c, v.h, v.w); }

dl::Desc nhwcDst(const Conv& v) { return nhwc(v, v.o, v.oh, v.ow); }

dl::Desc hwio(const Conv& v) {
  const auto type = dl::typeOf(v.kernelType);
  if (v.groups == 1) return dl::Desc(dl::DnnlDims{v.o, v.c, v.kh, v.kw}, type, dl::Tag::hwio);
  return dl::Desc(dl::DnnlDims{v.groups, v.og(), v.cg(), v.kh, v.kw}, type,
                  dl::DnnlDims{v.og(), 1, v.o, v.kw * v.cg() * v.o, v.cg() * v.o});
}

std::optional<ConvPrimitive> pickPrimitive(const Conv& v, bool blocked) {
  auto chosen = pick(v, blocked);
  if (!chosen || pairsAcrossPositions(v, chosen->name) || sharesStridedCopies(v, chosen->name)) return std::nullopt;
  return chosen;
}

}  // namespace fovea::cpu
