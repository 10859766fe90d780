#pragma once

#include <cstdint>

#include "cuda/kernels/convert.h"
#include "cuda/kernels/divide.h"

/** @file What comes after a product or a convolution whose library does not do it. */
namespace fovea::cuda {

/** y = activation(y + bias) in place, over rows of c channels. */
template <class T>
struct BiasActivation {
  struct Args {
    T* y;
    const void* bias;  ///< Null for none.
    bool wideBias;     ///< Of float, else of T.
    bool relu;
    int64_t n;
    Divisor byC;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
        float v = load(args.y[i]);
        if (args.bias != nullptr) {
          int64_t row = i;
          const int64_t j = popAxis(row, args.byC);
          v += args.wideBias ? static_cast<const float*>(args.bias)[j] : load(static_cast<const T*>(args.bias)[j]);
        }
        store(args.y + i, args.relu && v <= 0 ? 0.0f : v);
      }
    });
  }
};

#define FOVEA_EPILOGUE_KERNELS(X) \
  X(BiasActivation<float>)        \
  X(BiasActivation<BFloat16>)     \
  X(BiasActivation<Float16>)

}  // namespace fovea::cuda
