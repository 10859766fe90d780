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

dl::Desc hwio(const Conv& v) {
  const auto type = dl::typeOf(v.kernelType);
  if (v.groups == 1) return dl::Desc(dl::DnnlDims{v.o, v.c, v.kh, v.kw}, type, dl::Tag::hwio);
  return dl::Desc(dl::DnnlDims{v.groups, v.og(), v.cg(), v.kh, v.kw}, type,
                  dl::DnnlDims{v.og(), 1, v.o, v.kw * v.cg() * v.o, v.cg() * v.o});
}

ConvLayouts userLayouts(const Conv& v) { return {nhwc(v, v.c, v.h, v.w), hwio(v), nhwc(v, v.o, v.oh, v.ow)}; }

/** What a primitive descriptor says, with the layouts of the operands that it names `arguments`. */
template <class Primitive, class Pd>
ConvPrimitive primitiveOf(const Pd& pd, const ConvLayouts& own, const ConvLayouts& user, const dl::Desc& bias,
                          const ConvPrimitive::Arguments& arguments) {
  return {Primitive(pd), own, user, bias, pd.scratchpad_desc(), pd.impl_info_str(), arguments};
}

ConvPrimitive forwardOf(const dl::ConvForward::primitive_desc& pd, const ConvLayouts& user, const dl::Desc& bias) {
  return primitiveOf<dl::ConvForward>(pd, {pd.src_desc(), pd.weights_desc(), pd.dst_desc()}, user, bias,
                                      {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS});
}

/**
 * The forward primitive. One that adds to what y holds is taken when that costs it neither its implementation nor its
 * layout; in bfloat16 no other will do, since it would round before the residual is added. (2.6 can read the residual
 * from where it is, too, with a binary post-op: half as fast again in `jit_1x1:avx2`, and wrong in `jit:avx2`.)
 */
std::optional<ConvPrimitive> pickForward(const Conv& v, const dl::ConvProblem& p) {
  const ConvLayouts user = userLayouts(v);
  const auto plain = dl::convForward(p, dl::attributes(v.relu && !v.residual));
  if (isReference(plain)) return std::nullopt;
  ConvPrimitive chosen = forwardOf(plain, user, p.bias);
  if (!v.residual) return chosen;
  if (chosen.own.dst == user.dst) {
    try {
      const auto pd = dl::convForward(p, dl::attributes(v.relu, true));
      if (pd.impl_info_str() == chosen.name && pd.dst_desc() == chosen.own.dst) {
        chosen = forwardOf(pd, user, p.bias);
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
        return primitiveOf<dl::ConvBackwardData>(pd, {pd.diff_src_desc(), pd.weights_desc(), pd.diff_dst_desc()},
                                                 userLayouts(v), p.bias,
                                                 {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST, 0});
      }
      case ConvKind::kBackwardKernel: {
        const auto pd = dl::convBackwardWeights(p, dl::attributes());
        if (isReference(pd)) return std::nullopt;
        return primitiveOf<dl::ConvBackwardWeights>(
            pd, {pd.src_desc(), pd.diff_weights_desc(), pd.diff_dst_desc()}, userLayouts(v), p.bias,
            {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_BIAS});
      }
    }
  } catch (const dnnl::error&) {
    // This library has no such implementation.
  }
  return std::nullopt;
}

std::optional<ConvPrimitive> pickChecked(const Conv& v, bool blocked) {
  auto chosen = pick(v, blocked);
  if (!chosen || pairsAcrossPositions(v, chosen->name) || sharesStridedCopies(v, chosen->name)) return std::nullopt;
  return chosen;
}

dl::Desc matrix(int64_t rows, int64_t columns, DType type, dl::Tag tag = dl::Tag::ab) {
  return dl::Desc(dl::DnnlDims{rows, columns}, dl::typeOf(type), tag);
}

dl::Desc biasOf(const Conv& v) { return v.bias ? matrix(1, v.o, v.biasType) : dl::Desc(); }

/** y = x w: the kernel is packed as the primitive likes it. */
dnnl::matmul::primitive_desc forwardProduct(const Conv& v, int64_t rows) {
  return dl::matmul(matrix(rows, v.c, v.type), matrix(v.c, v.o, v.type, dl::Tag::any), biasOf(v),
                    matrix(rows, v.o, v.type), dl::attributes(v.relu, v.residual));
}
/** dx = dy w^T */
dnnl::matmul::primitive_desc inputGradient(const Conv& v, int64_t rows) {
  return dl::matmul(matrix(rows, v.o, v.type), matrix(v.o, v.c, v.type, dl::Tag::any), dl::Desc(),
                    matrix(rows, v.c, v.type), dl::attributes());
}
/** dw = x^T dy */
dnnl::matmul::primitive_desc kernelGradient(const Conv& v, int64_t rows) {
  return dl::matmul(matrix(v.c, rows, v.type, dl::Tag::ba), matrix(rows, v.o, v.type), dl::Desc(),
                    matrix(v.c, v.o, v.kernelType), dl::attributes());
}

ConvPrimitive product(const Conv& v) {
  const int64_t rows = v.n * v.h * v.w;
  switch (v.kind) {
    case ConvKind::kForward: {
      const auto pd = forwardProduct(v, rows);
      const ConvLayouts own{pd.src_desc(), pd.weights_desc(), pd.dst_desc()};
      return primitiveOf<dnnl::matmul>(pd, own, {own.src, matrix(v.c, v.o, v.kernelType), own.dst}, biasOf(v),
                                       {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS});
    }
    case ConvKind::kBackwardInput: {
      const auto pd = inputGradient(v, rows);
      const ConvLayouts own{pd.dst_desc(), pd.weights_desc(), pd.src_desc()};
      return primitiveOf<dnnl::matmul>(pd, own, {own.src, matrix(v.o, v.c, v.kernelType, dl::Tag::ba), own.dst},
                                       dl::Desc(), {DNNL_ARG_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_SRC, 0});
    }
    default: {
      const auto pd = kernelGradient(v, rows);
      const ConvLayouts own{pd.src_desc(), pd.dst_desc(), pd.weights_desc()};
      return primitiveOf<dnnl::matmul>(pd, own, own, dl::Desc(), {DNNL_ARG_SRC, DNNL_ARG_DST, DNNL_ARG_WEIGHTS, 0});
    }
  }
}

}  // namespace

std::optional<ConvPrimitive> pickPlain(const Conv& v) { return pickChecked(v, false); }

std::optional<ConvPrimitive> pickBlocked(const Conv& v) { return pickChecked(v, true); }

std::optional<ConvPrimitive> pickMatmul(const Conv& v) {
  const bool sumsBias = v.bias && v.kind == ConvKind::kBackwardKernel;
  if (!v.pointwise() || v.groups != 1 || sumsBias) return std::nullopt;
  try {
    ConvPrimitive chosen = product(v);
    // Its others are reference code, and the product that im2col calls.
    if (chosen.name.rfind("brg", 0) != 0) return std::nullopt;
    chosen.name.insert(0, "matmul ");
    chosen.addsResidual = v.residual;
    return chosen;
  } catch (const dnnl::error&) {
    return std::nullopt;  // This library has no such implementation.
  }
}

}  // namespace fovea::cpu
