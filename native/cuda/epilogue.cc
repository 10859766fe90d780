#include "cuda/epilogue.h"

#include "core/bfloat16.h"
#include "core/float16.h"
#include "cuda/kernels/epilogue.h"

namespace fovea::cuda {
namespace {

template <class T>
void launchAs(Context& context, const char* op, void* y, int64_t rows, int64_t channels, const Epilogue& e) {
  const int64_t n = rows * channels;
  const bool wideBias = e.biasType == DType::kFloat32;
  launchChecked<BiasActivation<T>>(
      context, op, gridFor(context, n),
      {static_cast<T*>(y), e.bias, wideBias, static_cast<const T*>(e.residual), e.relu, n, Divisor(channels)});
}

}  // namespace

void finish(Context& context, const char* op, void* y, DType type, int64_t rows, int64_t channels, const Epilogue& e) {
  if (rows * channels == 0 || (e.bias == nullptr && e.residual == nullptr && !e.relu)) return;
  switch (type) {
    case DType::kFloat32:
      return launchAs<float>(context, op, y, rows, channels, e);
    case DType::kBfloat16:
      return launchAs<BFloat16>(context, op, y, rows, channels, e);
    case DType::kFloat16:
      return launchAs<Float16>(context, op, y, rows, channels, e);
    default:
      throw Error("ERR_ARGUMENT", std::string(op) + ": expected a type of real numbers, received " + nameOf(type));
  }
}

KernelPtr makeEpilogueOfZeros(Context& context, const char* op, const Operands& operands, bool bias, bool residual,
                              bool relu) {
  const TensorDesc y = operands.outputs[0];
  if (y.size() == 0) return makeNothing(context);
  const DType biasType = bias ? operands.inputs[2].dtype : y.dtype;
  const size_t last = operands.inputs.size() - 1;
  return makeKernel(context, "own", 0, [=](Context& c, const Pointers& p) {
    c.check(cudaMemsetAsync(p.outputs[0], 0, y.bytes(), c.stream()), "cudaMemsetAsync", op);
    finish(c, op, p.outputs[0], y.dtype, y.size() / y.dims.back(), y.dims.back(),
           {bias ? p.inputs[2] : nullptr, biasType, residual ? p.inputs[last] : nullptr, relu});
  });
}

}  // namespace fovea::cuda
