#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/conv_geometry.h"
#include "cuda/backend.h"
#include "cuda/conv_plans.h"
#include "cuda/epilogue.h"
#include "cuda/kernel.h"
#include "cuda/layout.h"
#include "cuda/packed.h"
#include "cuda/reduce.h"

/**
 * @file
 * The three convolution kernels through cuDNN's graph API. cuDNN's NHWC engines want the kernel as [o,kh,kw,c/groups],
 * and all operands of one type: what differs is brought into the workspace before and taken from there after. Where
 * cuDNN has no plan for a padding the input is padded beforehand, and where it has none for a type (bfloat16 before
 * compute capability 8.0) float32 takes its place. Where it has none with a residual, an own kernel adds that after.
 */
namespace fovea::cuda {
namespace {

/** How cuDNN is asked. */
struct Choice {
  std::shared_ptr<ConvPlan> plan;
  bool padded = false;  ///< The input is padded beforehand.
  DType type = DType::kFloat32;
  bool adds() const { return plan->problem().residual; }
};

Choice choose(ConvPlans& plans, const ConvGeometry& g) {
  std::string first, why;
  std::vector<DType> types{g.type};
  if (g.type != DType::kFloat32) types.push_back(DType::kFloat32);
  for (const bool residual : {g.residual, false}) {
    for (const DType type : types) {
      ConvGeometry typed = g;
      typed.type = typed.kernelType = typed.biasType = type;
      typed.residual = residual;
      typed.relu = g.relu && residual == g.residual;  // It comes after the residual.
      const graph::ConvProblem problem = graph::ConvProblem::of(typed);
      if (auto plan = plans.find(problem, why)) return {std::move(plan), false, type};
      if (first.empty()) first = problem.describe() + ": " + why;
      if (!g.padded()) continue;
      if (auto plan = plans.find(problem.withoutPadding(), why)) return {std::move(plan), true, type};
    }
    if (!residual) break;
  }
  throw Error("ERR_UNSUPPORTED", std::string(nameOf(g.kind)) + ": cuDNN has no plan for " + first);
}

/** What lies where in the workspace, and the steps between the operands and cuDNN's. */
class ConvKernel final : public Kernel {
 public:
  ConvKernel(Context& context, const ConvGeometry& g, const Choice& choice)
      : context_(context),
        g_(g),
        op_(nameOf(g.kind)),
        type_(choice.type),
        padded_(choice.padded),
        addsAfter_(g.residual && !choice.adds()),
        execution_(choice.plan),
        weights_(context, g.steady, static_cast<size_t>(weightSize()) * bytesPerElement(choice.type)),
        dbias_(rowSum(g.type, g.n * g.oh * g.ow, g.o, g.biasType)),
        toPadded_(choice.type, {g.n, g.h, g.w, g.c}, paddedDims(), {0, g.top, g.left, 0}, 0),
        fromPadded_({g.n, g.h, g.w, g.c}, paddedDims(), {0, g.top, g.left, 0}, {g.n, g.h, g.w, g.c}, {0, 0, 0, 0},
                    bytesPerElement(choice.type)) {
    const size_t element = bytesPerElement(type_);
    const auto elements = [&](int64_t n) { return static_cast<size_t>(n) * element; };
    const int64_t xSize = g.n * g.h * g.w * g.c, ySize = g.n * g.oh * g.ow * g.o;
    plan_ = layout_.take(execution_.plan().workspaceBytes());
    weightsAt_ = layout_.take(elements(weightSize()));
    if (converts()) {
      xAt_ = layout_.take(elements(xSize));
      yAt_ = layout_.take(elements(ySize));
    }
    if (padded_) paddedAt_ = layout_.take(elements(product(paddedDims())));
    if (g.kind == ConvKind::kForward && g.bias && g.biasType != type_) biasAt_ = layout_.take(elements(g.o));
    if (converts() && g.residual) residualAt_ = layout_.take(elements(ySize));
    if (execution_.plan().problem().bias && !g.bias) {
      zeroBias_ = context.upload("zero bias", std::vector<unsigned char>(elements(g.o), 0));
    }
    if (g.kind == ConvKind::kBackwardKernel && g.bias) dbiasAt_ = layout_.take(dbias_.workspaceBytes());
  }

  size_t workspaceBytes() const override { return layout_.bytes(); }

  std::string implementation() const override {
    const int64_t engine = execution_.plan().plan().engine();
    return std::string("cudnn:") + (engine < 0 ? "remembered" : "engine " + std::to_string(engine)) +
           (padded_ ? ", padded" : "") + (converts() ? ", in float32" : "") + (addsAfter_ ? ", residual after" : "");
  }

  bool readsVersions() const override { return g_.steady; }

  void launch(Stream&, const Pointers& p) override {
    context_.enter();
    switch (g_.kind) {
      case ConvKind::kForward:
        return forward(p);
      case ConvKind::kBackwardInput:
        return backwardInput(p);
      case ConvKind::kBackwardKernel:
        return backwardKernel(p);
    }
  }

 private:
  bool converts() const { return type_ != g_.type; }
  int64_t weightSize() const { return g_.kh * g_.kw * g_.cg() * g_.o; }
  Dims paddedDims() const { return {g_.n, g_.h + g_.top + g_.bottom, g_.w + g_.left + g_.right, g_.c}; }

  void forward(const Pointers& p) {
    ConvPointers q = pointers(p);
    q.x = input(p, p.inputs[0]);
    q.w = weights(p);
    q.bias = bias(p);
    if (!addsAfter_) q.residual = residual(p);
    void* y = converts() ? at<void>(p.workspace, yAt_) : p.outputs[0];
    q.y = y;
    execution_.run(context_, q);
    if (addsAfter_) {
      finish(context_, op_, y, type_, g_.n * g_.oh * g_.ow, g_.o, {nullptr, type_, residual(p), g_.relu});
    }
    if (converts()) convertElements(context_, op_, y, type_, p.outputs[0], g_.type, g_.n * g_.oh * g_.ow * g_.o);
  }

  void backwardInput(const Pointers& p) {
    ConvPointers q = pointers(p);
    q.y = gradient(p, p.inputs[0]);
    q.w = weights(p);
    void* x = converts() ? at<void>(p.workspace, xAt_) : p.outputs[0];
    void* whole = padded_ ? at<void>(p.workspace, paddedAt_) : x;
    q.x = whole;
    execution_.run(context_, q);
    if (padded_) fromPadded_.copy(context_, op_, whole, x);
    if (converts()) convertElements(context_, op_, x, type_, p.outputs[0], g_.type, g_.n * g_.h * g_.w * g_.c);
  }

  void backwardKernel(const Pointers& p) {
    ConvPointers q = pointers(p);
    q.x = input(p, p.inputs[0]);
    q.y = gradient(p, p.inputs[1]);
    void* dw = at<void>(p.workspace, weightsAt_);
    q.w = dw;
    execution_.run(context_, q);
    ohwiToHwio(context_, op_, dw, type_, p.outputs[0], g_.kernelType, g_.kh * g_.kw * g_.cg(), g_.o);
    if (g_.bias) dbias_.run(context_, op_, p.inputs[1], p.outputs[1], at<void>(p.workspace, dbiasAt_));
  }

  ConvPointers pointers(const Pointers& p) const {
    ConvPointers q;
    q.workspace = at<void>(p.workspace, plan_);
    return q;
  }

  /** x as cuDNN takes it: converted, padded. */
  const void* input(const Pointers& p, const void* x) {
    if (converts()) {
      void* converted = at<void>(p.workspace, xAt_);
      convertElements(context_, op_, x, g_.type, converted, type_, g_.n * g_.h * g_.w * g_.c);
      x = converted;
    }
    if (!padded_) return x;
    void* padded = at<void>(p.workspace, paddedAt_);
    toPadded_.run(context_, op_, x, padded);
    return padded;
  }

  const void* gradient(const Pointers& p, const void* dy) {
    if (!converts()) return dy;
    void* converted = at<void>(p.workspace, yAt_);
    convertElements(context_, op_, dy, g_.type, converted, type_, g_.n * g_.oh * g_.ow * g_.o);
    return converted;
  }

  const void* weights(const Pointers& p) {
    return weights_.get(p, 1, at<void>(p.workspace, weightsAt_), [&](void* to) {
      hwioToOhwi(context_, op_, p.inputs[1], g_.kernelType, to, type_, g_.kh * g_.kw * g_.cg(), g_.o);
    });
  }

  const void* bias(const Pointers& p) {
    if (!g_.bias) return zeroBias_.data();
    if (g_.biasType == type_) return p.inputs[2];
    void* converted = at<void>(p.workspace, biasAt_);
    convertElements(context_, op_, p.inputs[2], g_.biasType, converted, type_, g_.o);
    return converted;
  }

  const void* residual(const Pointers& p) {
    if (!g_.residual) return nullptr;
    const void* from = p.inputs[g_.residualInput()];
    if (!converts()) return from;
    void* converted = at<void>(p.workspace, residualAt_);
    convertElements(context_, op_, from, g_.type, converted, type_, g_.n * g_.oh * g_.ow * g_.o);
    return converted;
  }

  Context& context_;
  const ConvGeometry g_;
  const char* const op_;
  const DType type_;
  const bool padded_;
  const bool addsAfter_;  ///< The residual and ReLU come after cuDNN.
  ConvExecution execution_;
  Packed weights_;
  const Reduction dbias_;
  const Padding toPadded_;
  const Box fromPadded_;
  DeviceArray zeroBias_;
  Layout layout_;
  size_t plan_ = 0, weightsAt_ = 0, xAt_ = 0, yAt_ = 0, residualAt_ = 0, paddedAt_ = 0, biasAt_ = 0, dbiasAt_ = 0;
};

/** Without an input there is nothing to sum up: y is the bias, gradients of kernels are 0. */
KernelPtr emptyConv(Context& context, const ConvGeometry& g, const Conv2dDesc& d) {
  if (g.kind == ConvKind::kForward) {
    return makeEpilogueOfZeros(context, nameOf(g.kind), d, g.bias, g.residual, g.relu);
  }
  const Reduction dbias = rowSum(g.type, g.n * g.oh * g.ow, g.o, g.biasType);
  return makeKernel(context, "own", dbias.workspaceBytes(), [=, dx = d.outputs[0]](Context& c, const Pointers& p) {
    if (dx.bytes() > 0) {
      c.check(cudaMemsetAsync(p.outputs[0], 0, dx.bytes(), c.stream()), "cudaMemsetAsync", nameOf(g.kind));
    }
    if (g.kind == ConvKind::kBackwardKernel && g.bias) {
      dbias.run(c, nameOf(g.kind), p.inputs[1], p.outputs[1], p.workspace);
    }
  });
}

KernelPtr prepare(CudaBackend& backend, ConvPlans& plans, ConvKind kind, const Conv2dDesc& d) {
  const ConvGeometry g = parseConv(kind, d);
  Context& context = backend.context();
  if (g.n * g.h * g.w == 0 || g.n * g.oh * g.ow == 0) return emptyConv(context, g, d);
  context.enter();
  return std::make_unique<ConvKernel>(context, g, choose(plans, g));
}

}  // namespace

KernelPtr CudaBackend::prepareConv2d(const Conv2dDesc& d) { return prepare(*this, plans(), ConvKind::kForward, d); }

KernelPtr CudaBackend::prepareConv2dBackwardInput(const Conv2dDesc& d) {
  return prepare(*this, plans(), ConvKind::kBackwardInput, d);
}

KernelPtr CudaBackend::prepareConv2dBackwardKernel(const Conv2dDesc& d) {
  return prepare(*this, plans(), ConvKind::kBackwardKernel, d);
}

}  // namespace fovea::cuda
