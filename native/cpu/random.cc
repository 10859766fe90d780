#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/philox.h"
#include "core/random_geometry.h"
#include "cpu/backend.h"
#include "cpu/kernel_base.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/philox_blocks.h"
#include "cpu/simd.h"

/** @file Dropout and random numbers, bit for bit as docs/kernels.md has them on every device. */
namespace fovea::cpu {
namespace {

constexpr int64_t kSpan = 4 * kPhiloxBlocks;  ///< Elements of one call of philoxBlocks.
constexpr int64_t kStretch = 8 * kSpan;       ///< Elements dropped at once: long runs keep the prefetchers awake.
constexpr int64_t kPhiloxCost = 16;           ///< Additions an element.

Seed seedOf(const void* words) {
  const auto* s = static_cast<const uint32_t*>(words);
  return {s[0], s[1], s[2], s[3]};
}

/** v or 0, by a mask: as a select, GCC loads v under the condition, which is slow. */
FOVEA_INLINE float kept(float v, uint32_t word, uint32_t threshold) {
  const uint32_t mask = 0u - static_cast<uint32_t>((word >> 8) >= threshold);
  return std::bit_cast<float>(std::bit_cast<uint32_t>(v) & mask);
}

/** Elements begin..end-1, begin a multiple of kSpan. `threshold`: u >= rate as integers r >>> 8. */
template <class T>
FOVEA_INLINE void dropoutOf(const Seed& s, const T* x, T* y, int64_t begin, int64_t end, uint32_t threshold,
                            float scale) {
  alignas(64) uint32_t words[kStretch];
  for (int64_t e = begin; e < end; e += kStretch) {
    const int64_t n = std::min(kStretch, end - e);
    for (int64_t j = 0; j < n; j += kSpan) philoxBlocks(s, (e + j) >> 2, words + j);
    const T* v = x + e;
    T* t = y + e;
#pragma omp simd
    for (int64_t j = 0; j < n; ++j) store(t + j, kept(load(v[j]) * scale, words[j], threshold));
  }
}

FOVEA_CLONES void dropoutRange(const Seed& s, const float* x, float* y, int64_t begin, int64_t end, uint32_t threshold,
                               float scale) {
  dropoutOf(s, x, y, begin, end, threshold, scale);
}
FOVEA_CLONES void dropoutRange(const Seed& s, const BFloat16* x, BFloat16* y, int64_t begin, int64_t end,
                               uint32_t threshold, float scale) {
  dropoutOf(s, x, y, begin, end, threshold, scale);
}

FOVEA_CLONES void uniformRange(const Seed& s, float* y, int64_t begin, int64_t end, double a, double b, float below) {
  alignas(64) uint32_t words[kSpan];
  alignas(64) double product[kSpan];
  const double width = b - a;
  const float top = static_cast<float>(b);
  const bool proper = a < b;
  for (int64_t e = begin; e < end; e += kSpan) {
    philoxBlocks(s, e >> 2, words);
    // The product goes through memory: contracted into a fused multiply-add it would round once, not twice.
    for (int64_t j = 0; j < kSpan; ++j) {
      product[j] = width * (static_cast<double>(static_cast<int32_t>(words[j] >> 8)) * 0x1p-24);
    }
    __asm__ volatile("" ::: "memory");
    const int64_t n = std::min(kSpan, end - e);
    for (int64_t j = 0; j < n; ++j) {
      const float v = static_cast<float>(a + product[j]);
      y[e + j] = (v >= top) & proper ? below : v;
    }
  }
}

/** Box and Muller (1958), in double. */
double gaussian(uint32_t r0, uint32_t r1) {
  const double u1 = (static_cast<double>(r0) + 1.0) * 0x1p-32, u2 = static_cast<double>(r1) * 0x1p-32;
  return std::sqrt(-2.0 * std::log(u1)) * std::cos(2.0 * 3.14159265358979323846 * u2);
}

double truncatedGaussian(const Seed& s, uint64_t i) {
  for (uint32_t attempt = 0;; ++attempt) {
    uint32_t c[4] = {static_cast<uint32_t>(i), static_cast<uint32_t>(i >> 32), s.c2, s.c3 + attempt};
    philox::block(c, s.key0, s.key1);
    double z = gaussian(c[0], c[1]);
    if (std::fabs(z) < 2) return z;
    z = gaussian(c[2], c[3]);
    if (std::fabs(z) < 2) return z;
  }
}

}  // namespace

KernelPtr CpuBackend::prepareDropout(const DropoutDesc& d) {
  const DropoutGeometry g = parseDropout(d);
  if (uses(d, DType::kFloat16)) return converting(d, prepareDropout(inFloat32(d)));
  const int64_t spans = (g.n + kSpan - 1) / kSpan;
  return withFloatType(d.inputs[0].dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return makeKernel([=](const Pointers& p) {
      const Seed s = seedOf(p.inputs[1]);
      parallelRanges(spans, kSpan * kPhiloxCost, [&](int64_t begin, int64_t end, int) {
        dropoutRange(s, in<T>(p, 0), out<T>(p, 0), begin * kSpan, std::min(end * kSpan, g.n), g.threshold, g.scale);
      });
    });
  });
}

KernelPtr CpuBackend::prepareRandom(const RandomDesc& d) {
  checkRandom(d);
  const int64_t n = d.outputs[0].size(), spans = (n + kSpan - 1) / kSpan;
  const double a = d.a, b = d.b;
  switch (d.distribution) {
    case Distribution::kUniform: {
      const float below = justBelow(b);
      return makeKernel([=](const Pointers& p) {
        const Seed s = seedOf(p.inputs[0]);
        parallelRanges(spans, kSpan * kPhiloxCost, [&](int64_t begin, int64_t end, int) {
          uniformRange(s, out<float>(p, 0), begin * kSpan, std::min(end * kSpan, n), a, b, below);
        });
      });
    }
    case Distribution::kNormal:
      return makeKernel([=](const Pointers& p) {
        const Seed s = seedOf(p.inputs[0]);
        float* y = out<float>(p, 0);
        parallelFor(n, 400, [&](int64_t e) {
          uint32_t c[4] = {static_cast<uint32_t>(e), static_cast<uint32_t>(static_cast<uint64_t>(e) >> 32), s.c2, s.c3};
          philox::block(c, s.key0, s.key1);
          y[e] = static_cast<float>(a + b * gaussian(c[0], c[1]));
        });
      });
    case Distribution::kTruncatedNormal:
      return makeKernel([=](const Pointers& p) {
        const Seed s = seedOf(p.inputs[0]);
        float* y = out<float>(p, 0);
        parallelFor(n, 400, [&](int64_t e) {
          y[e] = static_cast<float>(a + b * truncatedGaussian(s, static_cast<uint64_t>(e)));
        });
      });
  }
  throw Error("ERR_ARGUMENT", "random: expected a known distribution");
}

}  // namespace fovea::cpu
