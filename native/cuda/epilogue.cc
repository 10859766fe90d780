#include "cuda/epilogue.h"

#include "core/bfloat16.h"
#include "core/float16.h"
#include "cuda/kernels/epilogue.h"

namespace fovea::cuda {
namespace {

template <class T>
void launchAs(Context& context, const char* op, void* y, int64_t rows, int64_t channels, const void* bias,
              bool wideBias, bool relu) {
  const int64_t n = rows * channels;
  launchChecked<BiasActivation<T>>(context, op, gridFor(context, n),
                                   {static_cast<T*>(y), bias, wideBias, relu, n, Divisor(channels)});
}

}  // namespace

void biasActivation(Context& context, const char* op, void* y, DType type, int64_t rows, int64_t channels,
                    const void* bias, DType biasType, bool relu) {
  if (rows * channels == 0) return;
  const bool wide = biasType == DType::kFloat32;
  switch (type) {
    case DType::kFloat32:
      return launchAs<float>(context, op, y, rows, channels, bias, wide, relu);
    case DType::kBfloat16:
      return launchAs<BFloat16>(context, op, y, rows, channels, bias, wide, relu);
    case DType::kFloat16:
      return launchAs<Float16>(context, op, y, rows, channels, bias, wide, relu);
    default:
      throw Error("ERR_ARGUMENT", std::string(op) + ": expected a type of real numbers, received " + nameOf(type));
  }
}

KernelPtr makeEpilogueOfZeros(Context& context, const char* op, const TensorDesc& y, const TensorDesc* bias,
                              bool relu) {
  if (y.size() == 0) return makeNothing(context);
  const bool hasBias = bias != nullptr;
  const DType biasType = hasBias ? bias->dtype : y.dtype;
  return makeKernel(context, "own", 0, [=](Context& c, const Pointers& p) {
    c.check(cudaMemsetAsync(p.outputs[0], 0, y.bytes(), c.stream()), "cudaMemsetAsync", op);
    if (hasBias) {
      biasActivation(c, op, p.outputs[0], y.dtype, y.size() / y.dims.back(), y.dims.back(), p.inputs[2], biasType,
                     relu);
    }
  });
}

}  // namespace fovea::cuda
