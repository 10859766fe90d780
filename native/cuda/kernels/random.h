#pragma once

#include <cmath>
#include <cstdint>

#include "cuda/kernels/convert.h"

#if defined(__CUDACC__) && !defined(FOVEA_DEVICE)
#define FOVEA_DEVICE __host__ __device__
#endif
#include "core/philox.h"

/** @file Dropout and random numbers, as docs/kernels.md has them on every device. */
namespace fovea::cuda {

namespace randoms {

/** Philox block i of the four seed words, into c. */
FOVEA_HD void philoxBlock(const uint32_t* seed, uint64_t i, uint32_t attempt, uint32_t c[4]) {
  c[0] = static_cast<uint32_t>(i);
  c[1] = static_cast<uint32_t>(i >> 32);
  c[2] = seed[2];
  c[3] = seed[3] + attempt;
  philox::block(c, seed[0], seed[1]);
}

/** a + b * c, rounded twice: contracted it would round once, and differ from other devices. */
FOVEA_HD double plusProduct(double a, double b, double c) {
#if defined(__CUDA_ARCH__)
  return __dadd_rn(a, __dmul_rn(b, c));
#else
  volatile double product = b * c;
  return a + product;
#endif
}

/** Box and Muller (1958), in double. */
FOVEA_HD double gaussian(uint32_t r0, uint32_t r1) {
  const double u1 = (static_cast<double>(r0) + 1.0) * 0x1p-32, u2 = static_cast<double>(r1) * 0x1p-32;
  return sqrt(-2.0 * log(u1)) * cos(2.0 * 3.14159265358979323846 * u2);
}

}  // namespace randoms

/** Four elements a thread: one Philox block. */
template <class T>
struct Dropout {
  struct Args {
    const T* x;
    const uint32_t* seed;
    T* y;
    int64_t n;
    uint32_t threshold;  ///< u >= rate as integers r >>> 8.
    float scale;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    const bool fours = takesFours(args.x, args.y);
    block.each([&](int thread) {
      for (int64_t i = block.first(thread); 4 * i < args.n; i += block.stride()) {
        uint32_t words[4];
        randoms::philoxBlock(args.seed, static_cast<uint64_t>(i), 0, words);
        const auto kept = [&](int k, float v) { return (words[k] >> 8) >= args.threshold ? v * args.scale : 0.0f; };
        if (fours && 4 * i + 4 <= args.n) {
          float v[4];
          loadFour(args.x + 4 * i, v);
          for (int k = 0; k < 4; ++k) v[k] = kept(k, v[k]);
          storeFour(args.y + 4 * i, v);
          continue;
        }
        for (int k = 0; k < 4 && 4 * i + k < args.n; ++k) store(args.y + 4 * i + k, kept(k, load(args.x[4 * i + k])));
      }
    });
  }
};

struct RandomUniform {
  struct Args {
    const uint32_t* seed;
    float* y;
    int64_t n;
    double a, b;
    float below;  ///< The float below b.
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      const auto top = static_cast<float>(args.b);
      for (int64_t i = block.first(thread); 4 * i < args.n; i += block.stride()) {
        uint32_t words[4];
        randoms::philoxBlock(args.seed, static_cast<uint64_t>(i), 0, words);
        for (int k = 0; k < 4; ++k) {
          const int64_t e = 4 * i + k;
          if (e >= args.n) break;
          const double u = static_cast<double>(words[k] >> 8) * 0x1p-24;
          const auto v = static_cast<float>(randoms::plusProduct(args.a, args.b - args.a, u));
          args.y[e] = v >= top && args.a < args.b ? args.below : v;
        }
      }
    });
  }
};

/** normal, or truncatedNormal. */
template <bool kTruncated>
struct RandomNormal {
  struct Args {
    const uint32_t* seed;
    float* y;
    int64_t n;
    double a, b;
  };

  template <class Block>
  FOVEA_HD void operator()(Block& block, const Args& args) const {
    block.each([&](int thread) {
      for (int64_t e = block.first(thread); e < args.n; e += block.stride()) {
        double z = 0;
        for (uint32_t attempt = 0;; ++attempt) {
          uint32_t c[4];
          randoms::philoxBlock(args.seed, static_cast<uint64_t>(e), attempt, c);
          z = randoms::gaussian(c[0], c[1]);
          if (!kTruncated || fabs(z) < 2) break;
          z = randoms::gaussian(c[2], c[3]);
          if (fabs(z) < 2) break;
        }
        args.y[e] = static_cast<float>(randoms::plusProduct(args.a, args.b, z));
      }
    });
  }
};

#define FOVEA_RANDOM_KERNELS(X) \
  X(Dropout<float>)             \
  X(Dropout<BFloat16>)          \
  X(Dropout<Float16>)           \
  X(RandomUniform)              \
  X(RandomNormal<false>)        \
  X(RandomNormal<true>)

}  // namespace fovea::cuda
