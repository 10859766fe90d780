#include <algorithm>
#include <bit>
#include <string>
#include <type_traits>

#include "core/gather_geometry.h"
#include "cuda/backend.h"
#include "cuda/kernel.h"
#include "cuda/kernels/gather.h"
#include "cuda/layout.h"
#include "cuda/types.h"

/** @file Kernels that read indices: gather, scatterAdd, oneHot. */
namespace fovea::cuda {
namespace {

constexpr int64_t kScatterTasks = 1024;

std::shared_ptr<FaultSlot> indexFault(Context& context, const char* name, int64_t axis) {
  return context.faultSlot([=](int64_t position, int32_t index) {
    return std::string(name) + ": expected indices from 0 to " + std::to_string(axis - 1) + ", received index " +
           std::to_string(index) + " at position " + std::to_string(position);
  });
}

template <class Word>
void launchGather(Context& context, const GatherGeometry& g, int64_t rowBytes, const Pointers& p, FaultWord* fault) {
  const int64_t row = rowBytes / static_cast<int64_t>(sizeof(Word)), n = g.outer * g.count * row;
  launchChecked<Gather<Word>>(
      context, "gather", gridFor(context, n),
      {in<Word>(p, 0), in<int32_t>(p, 1), out<Word>(p, 0), n, g.axis, row, Divisor(row), Divisor(g.count), fault});
}

}  // namespace

KernelPtr CudaBackend::prepareGather(const AxisDesc& d) {
  const GatherGeometry g = parseGather(d);
  if (g.count == 0) return makeNothing(context());
  const int64_t rowBytes = g.inner * static_cast<int64_t>(bytesPerElement(d.inputs[0].dtype));
  return makeKernel(context(), "own", 0,
                    [=, fault = indexFault(context(), "gather", g.axis)](Context& context, const Pointers& p) {
                      const uint64_t bits = reinterpret_cast<uintptr_t>(p.inputs[0]) |
                                            reinterpret_cast<uintptr_t>(p.outputs[0]) | static_cast<uint64_t>(rowBytes);
                      if (bits % 16 == 0) {
                        launchGather<Pack<uint32_t>>(context, g, rowBytes, p, fault->word());
                      } else if (bits % 4 == 0) {
                        launchGather<uint32_t>(context, g, rowBytes, p, fault->word());
                      } else if (bits % 2 == 0) {
                        launchGather<uint16_t>(context, g, rowBytes, p, fault->word());
                      } else {
                        launchGather<uint8_t>(context, g, rowBytes, p, fault->word());
                      }
                    });
}

KernelPtr CudaBackend::prepareScatterAdd(const AxisDesc& d) {
  const GatherGeometry g = parseScatterAdd(d);
  const TensorDesc& dx = d.outputs[0];
  const int64_t columns = g.outer * g.inner, n = dx.size();
  // Narrow types add up in float32 in the workspace.
  const size_t workspace = dx.dtype == DType::kFloat32 ? 0 : static_cast<size_t>(n) * sizeof(float);
  return withFloatType(dx.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel(
        context(), "own", workspace,
        [=, dtype = dx.dtype, fault = indexFault(context(), "scatterAdd", g.axis)](Context& context,
                                                                                   const Pointers& p) {
          const auto threads =
              static_cast<unsigned>(std::bit_ceil(static_cast<uint64_t>(std::clamp<int64_t>(columns, 32, kThreads))));
          const int64_t tiles = std::max<int64_t>((columns + threads - 1) / threads, 1);
          const int64_t rangeSize = std::max<int64_t>((g.axis * tiles + kScatterTasks - 1) / kScatterTasks, 1);
          const int64_t ranges = std::max<int64_t>((g.axis + rangeSize - 1) / rangeSize, 1);
          float* sums = workspace == 0 ? out<float>(p, 0) : static_cast<float*>(p.workspace);
          launchChecked<ScatterAdd<T>>(context, "scatterAdd", gridFor(context, tiles * ranges * threads, threads),
                                       {in<int32_t>(p, 0), in<T>(p, 1), sums, columns, g.axis, g.inner, g.count, ranges,
                                        rangeSize, Divisor(g.inner), fault->word()});
          if (workspace != 0) convertElements(context, "scatterAdd", sums, DType::kFloat32, p.outputs[0], dtype, n);
        });
  });
}

KernelPtr CudaBackend::prepareOneHot(const PlainDesc& d) {
  checkOneHot(d);
  const TensorDesc& y = d.outputs[0];
  const int64_t n = y.size();
  if (n == 0) return makeNothing(context());
  const Divisor byDepth(y.dims.back());
  const auto kernel = [&](auto one) {
    using Word = decltype(one);
    return makeKernel(context(), "own", 0, [=](Context& context, const Pointers& p) {
      launchChecked<OneHot<Word>>(context, "oneHot", gridFor(context, n),
                                  {in<int32_t>(p, 0), out<Word>(p, 0), n, byDepth, one});
    });
  };
  switch (y.dtype) {
    case DType::kBool:
      return kernel(uint8_t{1});
    case DType::kBfloat16:
      return kernel(toBFloat16(1).bits);
    case DType::kFloat16:
      return kernel(toFloat16(1).bits);
    default:
      return kernel(std::bit_cast<uint32_t>(1.0f));
  }
}

}  // namespace fovea::cuda
