#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/dtype.h"
#include "core/error.h"
#include "core/kernel.h"

/**
 * @file
 * The thin layer over oneDNN: hides the difference between 2.6 and 3.x (operation descriptors went away, eltwise
 * post-ops lost their scale), and runs primitives through the C interface so that a launch builds no maps.
 */
namespace fovea::cpu::dl {

using Desc = dnnl::memory::desc;
using DnnlDims = dnnl::memory::dims;
using Tag = dnnl::memory::format_tag;
inline constexpr auto kF32 = dnnl::memory::data_type::f32;

inline dnnl::memory::data_type typeOf(DType dtype) {
  return dtype == DType::kBfloat16 ? dnnl::memory::data_type::bf16 : kF32;
}

#if DNNL_VERSION_MAJOR >= 3
inline DnnlDims dimsOf(const Desc& d) { return d.get_dims(); }
inline dnnl::memory::data_type typeOf(const Desc& d) { return d.get_data_type(); }
#else
inline DnnlDims dimsOf(const Desc& d) { return d.dims(); }
inline dnnl::memory::data_type typeOf(const Desc& d) { return d.data_type(); }
#endif

/** The engine thread's oneDNN engine and (in-order) stream. */
struct Runtime {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
};
Runtime& runtime();

/** Turns dnnl::error into fovea::Error. */
template <class F>
auto guarded(const char* what, F&& f) -> decltype(f()) {
  try {
    return f();
  } catch (const dnnl::error& e) {
    throw Error(e.status == dnnl_out_of_memory ? "ERR_OUT_OF_MEMORY" : "ERR_DEVICE",
                std::string(what) + ": oneDNN says " + e.what());
  }
}

/**
 * Attributes of every primitive here: scratch memory comes from the workspace; where asked for, what the result's
 * memory holds before is added to the result, and ReLU comes after.
 */
inline dnnl::primitive_attr attributes(bool relu = false, bool sum = false) {
  dnnl::primitive_attr a;
  a.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops ops;
  if (sum) ops.append_sum(1.0f);
  if (relu) {
#if DNNL_VERSION_MAJOR >= 3
    ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0.f, 0.f);
#else
    ops.append_eltwise(1.f, dnnl::algorithm::eltwise_relu, 0.f, 0.f);
#endif
  }
  if (ops.len() > 0) a.set_post_ops(ops);
  return a;
}

/** What the three convolution primitives share; `bias` may be empty. Dilations as oneDNN counts them (0 = dense). */
struct ConvProblem {
  dnnl::algorithm algorithm = dnnl::algorithm::convolution_direct;
  Desc src, weights, bias, dst;
  DnnlDims strides, dilations, padLow, padHigh;
};

using ConvForward = dnnl::convolution_forward;
using ConvBackwardData = dnnl::convolution_backward_data;
using ConvBackwardWeights = dnnl::convolution_backward_weights;

inline ConvForward::primitive_desc convForward(const ConvProblem& p, const dnnl::primitive_attr& a) {
  const auto& e = runtime().engine;
  const auto kind = dnnl::prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
  if (p.bias.is_zero())
    return {e, kind, p.algorithm, p.src, p.weights, p.dst, p.strides, p.dilations, p.padLow, p.padHigh, a};
  return {e, kind, p.algorithm, p.src, p.weights, p.bias, p.dst, p.strides, p.dilations, p.padLow, p.padHigh, a};
#else
  using D = ConvForward::desc;
  if (p.bias.is_zero())
    return {D(kind, p.algorithm, p.src, p.weights, p.dst, p.strides, p.dilations, p.padLow, p.padHigh), a, e};
  return {D(kind, p.algorithm, p.src, p.weights, p.bias, p.dst, p.strides, p.dilations, p.padLow, p.padHigh), a, e};
#endif
}

inline ConvBackwardData::primitive_desc convBackwardData(const ConvProblem& p, const dnnl::primitive_attr& a) {
  const auto& e = runtime().engine;
  ConvProblem forward = p;
  forward.bias = Desc();
  const auto hint = convForward(forward, attributes());
#if DNNL_VERSION_MAJOR >= 3
  return {e, p.algorithm, p.src, p.weights, p.dst, p.strides, p.dilations, p.padLow, p.padHigh, hint, a};
#else
  using D = ConvBackwardData::desc;
  return {D(p.algorithm, p.src, p.weights, p.dst, p.strides, p.dilations, p.padLow, p.padHigh), a, e, hint};
#endif
}

inline ConvBackwardWeights::primitive_desc convBackwardWeights(const ConvProblem& p, const dnnl::primitive_attr& a) {
  const auto& e = runtime().engine;
  // The gradient may be wider than the kernel that it belongs to.
  ConvProblem forward = p;
  forward.weights = Desc(dimsOf(p.weights), typeOf(p.src), Tag::any);
  const auto hint = convForward(forward, attributes());
#if DNNL_VERSION_MAJOR >= 3
  if (p.bias.is_zero())
    return {e, p.algorithm, p.src, p.weights, p.dst, p.strides, p.dilations, p.padLow, p.padHigh, hint, a};
  return {e, p.algorithm, p.src, p.weights, p.bias, p.dst, p.strides, p.dilations, p.padLow, p.padHigh, hint, a};
#else
  using D = ConvBackwardWeights::desc;
  if (p.bias.is_zero())
    return {D(p.algorithm, p.src, p.weights, p.dst, p.strides, p.dilations, p.padLow, p.padHigh), a, e, hint};
  return {D(p.algorithm, p.src, p.weights, p.bias, p.dst, p.strides, p.dilations, p.padLow, p.padHigh), a, e, hint};
#endif
}

/** `bias` may be empty. */
inline dnnl::matmul::primitive_desc matmul(const Desc& a, const Desc& b, const Desc& bias, const Desc& y,
                                           const dnnl::primitive_attr& attr) {
  const auto& e = runtime().engine;
#if DNNL_VERSION_MAJOR >= 3
  if (bias.is_zero()) return {e, a, b, y, attr};
  return {e, a, b, bias, y, attr};
#else
  if (bias.is_zero()) return {dnnl::matmul::desc(a, b, y), attr, e};
  return {dnnl::matmul::desc(a, b, bias, y), attr, e};
#endif
}

/** A primitive with its memory objects made once; `run` only sets pointers. */
class Exec {
 public:
  Exec() = default;
  explicit Exec(dnnl::primitive primitive) : primitive_(std::move(primitive)) {}
  Exec(const Exec&) = delete;
  Exec& operator=(const Exec&) = delete;
  Exec(Exec&&) = default;
  Exec& operator=(Exec&&) = default;

  /** Adds an argument; `set` gives it its pointer. */
  void add(int argument, const Desc& desc) {
    memories_.emplace_back(desc, runtime().engine, nullptr);
    args_.push_back({argument, memories_.back().get()});
    handles_.push_back(nullptr);
  }
  void set(size_t index, const void* pointer) {
    if (handles_[index] == pointer) return;
    memories_[index].set_data_handle(const_cast<void*>(pointer));
    handles_[index] = pointer;
  }
  void run() {
    const auto status =
        dnnl_primitive_execute(primitive_.get(), runtime().stream.get(), static_cast<int>(args_.size()), args_.data());
    if (status != dnnl_success) throw Error("ERR_EXECUTION", "oneDNN: a primitive failed to run");
  }

 private:
  dnnl::primitive primitive_;
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl_exec_arg_t> args_;
  std::vector<const void*> handles_;
};

/** A reorder between two layouts of one shape, scratch from the workspace. */
inline Exec reorder(const Desc& from, const Desc& to, size_t* scratchBytes) {
  const auto& e = runtime().engine;
  dnnl::reorder::primitive_desc pd(e, from, e, to, attributes());
  Exec x{dnnl::reorder(pd)};
  x.add(DNNL_ARG_FROM, from);
  x.add(DNNL_ARG_TO, to);
  x.add(DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc());
  *scratchBytes = pd.scratchpad_desc().get_size();
  return x;
}

}  // namespace fovea::cpu::dl
