#pragma once

#include <cstdint>

#include "cuda/kernels/convert.h"
#include "cuda/kernels/divide.h"

/** @file What comes after a product or a convolution whose library does not do it. */
namespace fovea::cuda {

/** y = activation(y + bias + residual) in place, over rows of c channels. */
template <class T>
struct BiasActivation {
  struct Args {
    T* y;
    const void* bias;   ///< Null for none.
    bool wideBias;      ///< Of float, else of T.
    const T* residual;  ///< Like y; null for none.
    bool relu;
    int64_t n;
    Divisor byC;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const auto one = [&](float v, float bias, float residual) {
      v += bias + residual;
      return args.relu && v <= 0 ? 0.0f : v;
    };
    const bool fours =
        args.byC.d % 4 == 0 && args.n % 4 == 0 && takesFours(args.y, static_cast<const T*>(args.bias), args.residual);
    block.each([&](int thread) {
      if (fours) {
        for (int64_t i = 4 * block.first(thread); i < args.n; i += 4 * block.stride()) {
          int64_t row = i;
          const int64_t j = popAxis(row, args.byC);
          float v[4], bias[4] = {}, residual[4] = {};
          loadFour(args.y + i, v);
          if (args.bias != nullptr && args.wideBias) loadFour(static_cast<const float*>(args.bias) + j, bias);
          if (args.bias != nullptr && !args.wideBias) loadFour(static_cast<const T*>(args.bias) + j, bias);
          if (args.residual != nullptr) loadFour(args.residual + i, residual);
          for (int l = 0; l < 4; ++l) v[l] = one(v[l], bias[l], residual[l]);
          storeFour(args.y + i, v);
        }
        return;
      }
      for (int64_t i = block.first(thread); i < args.n; i += block.stride()) {
        int64_t row = i;
        const int64_t j = popAxis(row, args.byC);
        float bias = 0;
        if (args.bias != nullptr) {
          bias = args.wideBias ? static_cast<const float*>(args.bias)[j] : load(static_cast<const T*>(args.bias)[j]);
        }
        store(args.y + i, one(load(args.y[i]), bias, args.residual != nullptr ? load(args.residual[i]) : 0.0f));
      }
    });
  }
};

#define FOVEA_EPILOGUE_KERNELS(X) \
  X(BiasActivation<float>)        \
  X(BiasActivation<BFloat16>)     \
  X(BiasActivation<Float16>)

}  // namespace fovea::cuda
