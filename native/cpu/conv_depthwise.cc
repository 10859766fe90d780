#include <algorithm>
#include <cstring>
#include <type_traits>

#include "cpu/conv.h"
#include "cpu/depthwise_gradient.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"

/**
 * @file
 * Depthwise convolution of multiplier 1 in NHWC: every loop runs along the channels. The gradient by the kernel takes
 * images of bfloat16 too.
 */
namespace fovea::cpu {

#if defined(__x86_64__) && defined(__GNUC__)
#define FOVEA_BODY "cpu/depthwise_body.h"
#include "cpu/each_simd.h"
#endif

namespace {

constexpr int64_t kBlock = 64;  ///< Channels whose sums stay in registers or the L1 cache.

/** Kernel positions [begin, end) whose input index start + k * d lies within 0..size-1. */
struct Span {
  int64_t begin, end;
};
FOVEA_INLINE Span span(int64_t start, int64_t d, int64_t k, int64_t size) {
  const int64_t begin = start < 0 ? (-start + d - 1) / d : 0;
  const int64_t end = start < size ? std::min(k, (size - 1 - start) / d + 1) : 0;
  return {begin, std::max(begin, end)};
}

/** Row `r` of n * oh of y; `bias` and `residual` may be null. */
FOVEA_CLONES void forwardRow(const Conv& v, const float* x, const float* w, const float* bias, const float* residual,
                             float* y, int64_t r) {
  const int64_t n = r / v.oh, oy = r % v.oh, c = v.c;
  const float* image = x + n * v.h * v.w * c;
  y += r * v.ow * c;
  if (residual != nullptr) residual += r * v.ow * c;
  const int64_t startY = oy * v.sh - v.top;
  const Span rows = span(startY, v.dh, v.kh, v.h);
  for (int64_t ox = 0; ox < v.ow; ++ox, y += c) {
    const int64_t startX = ox * v.sw - v.left;
    const Span columns = span(startX, v.dw, v.kw, v.w);
    for (int64_t j0 = 0; j0 < c; j0 += kBlock) {
      const int64_t count = std::min(kBlock, c - j0);
      float sum[kBlock];
      for (int64_t j = 0; j < count; ++j) sum[j] = bias != nullptr ? bias[j0 + j] : 0.0f;
      for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
        for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
          const float* a = image + ((startY + ky * v.dh) * v.w + startX + kx * v.dw) * c + j0;
          const float* b = w + (ky * v.kw + kx) * c + j0;
          if (count == kBlock) {
#pragma omp simd
            for (int64_t j = 0; j < kBlock; ++j) sum[j] += a[j] * b[j];
          } else {
#pragma omp simd
            for (int64_t j = 0; j < count; ++j) sum[j] += a[j] * b[j];
          }
        }
      }
      if (residual != nullptr) {
        const float* a = residual + ox * c + j0;
        for (int64_t j = 0; j < count; ++j) sum[j] += a[j];
      }
      if (v.relu) {
        for (int64_t j = 0; j < count; ++j) y[j0 + j] = sum[j] <= 0 ? 0.0f : sum[j];
      } else {
        for (int64_t j = 0; j < count; ++j) y[j0 + j] = sum[j];
      }
    }
  }
}

/** Row `r` of n * h of dx gathers from the outputs it took part in: no two threads meet. */
FOVEA_CLONES void inputRow(const Conv& v, const float* dy, const float* w, float* dx, int64_t r) {
  const int64_t n = r / v.h, iy = r % v.h, c = v.c;
  const float* image = dy + n * v.oh * v.ow * c;
  dx += r * v.w * c;
  for (int64_t ix = 0; ix < v.w; ++ix, dx += c) {
    for (int64_t j0 = 0; j0 < c; j0 += kBlock) {
      const int64_t count = std::min(kBlock, c - j0);
      float sum[kBlock];
      for (int64_t j = 0; j < count; ++j) sum[j] = 0;
      for (int64_t ky = 0; ky < v.kh; ++ky) {
        const int64_t py = iy + v.top - ky * v.dh;
        if (py < 0 || py % v.sh != 0 || py / v.sh >= v.oh) continue;
        for (int64_t kx = 0; kx < v.kw; ++kx) {
          const int64_t px = ix + v.left - kx * v.dw;
          if (px < 0 || px % v.sw != 0 || px / v.sw >= v.ow) continue;
          const float* a = image + (py / v.sh * v.ow + px / v.sw) * c + j0;
          const float* b = w + (ky * v.kw + kx) * c + j0;
          if (count == kBlock) {
#pragma omp simd
            for (int64_t j = 0; j < kBlock; ++j) sum[j] += a[j] * b[j];
          } else {
#pragma omp simd
            for (int64_t j = 0; j < count; ++j) sum[j] += a[j] * b[j];
          }
        }
      }
      for (int64_t j = 0; j < count; ++j) dx[j0 + j] = sum[j];
    }
  }
}

/**
 * Adds to dw [kw, c] the products of `count` outputs at dy with the inputs of the first tap at x: `step` values lie
 * between those of neighbouring outputs, `tap` between those of neighbouring taps, c between outputs.
 */
template <class T>
using RowGradient = void (*)(const T* x, int64_t step, int64_t tap, const T* dy, int64_t count, int64_t c, float* dw);

/** That for a row of kw taps, or null where there is none for that width or this processor. */
template <class T>
RowGradient<T> rowGradient(int64_t kw) {
#if defined(__x86_64__) && defined(__GNUC__)
  if (simd() == Simd::kNone) return nullptr;
  if (kw == 3) return wide() ? avx512::addRow<3, 3, T> : avx2::addRow<3, 3, T>;
  if (kw == 5) return wide() ? avx512::addRow<5, 2, T> : avx2::addRow<5, 2, T>;
#endif
  return nullptr;
}

/** The same for outputs begin..end-1 of a row, from rows x of the image and dy: for those with taps outside of it. */
template <class T>
FOVEA_INLINE void addOutputsOf(const Conv& v, const T* x, const T* dy, float* dw, int64_t begin, int64_t end) {
  for (int64_t ox = begin; ox < end; ++ox) {
    const int64_t start = ox * v.sw - v.left;
    const Span taps = span(start, v.dw, v.kw, v.w);
    for (int64_t kx = taps.begin; kx < taps.end; ++kx) {
      const T *a = x + (start + kx * v.dw) * v.c, *b = dy + ox * v.c;
      float* to = dw + kx * v.c;
#pragma omp simd
      for (int64_t j = 0; j < v.c; ++j) to[j] += load(a[j]) * load(b[j]);
    }
  }
}
FOVEA_CLONES void addOutputs(const Conv& v, const float* x, const float* dy, float* dw, int64_t begin, int64_t end) {
  addOutputsOf(v, x, dy, dw, begin, end);
}
FOVEA_CLONES void addOutputs(const Conv& v, const BFloat16* x, const BFloat16* dy, float* dw, int64_t begin,
                             int64_t end) {
  addOutputsOf(v, x, dy, dw, begin, end);
}

/** As kernelRows, by `addRow` where all taps of an output lie within the image. */
template <class T>
void kernelRowsBy(RowGradient<T> addRow, const Conv& v, const T* x, const T* dy, float* dw, int64_t begin,
                  int64_t end) {
  // Outputs inner..outer-1 see the image only.
  const int64_t inner = std::min((v.left + v.sw - 1) / v.sw, v.ow);
  const int64_t room = v.w - 1 + v.left - (v.kw - 1) * v.dw;
  const int64_t outer = room < 0 ? inner : std::clamp(room / v.sw + 1, inner, v.ow);
  for (int64_t r = begin; r < end; ++r) {
    const int64_t startY = r % v.oh * v.sh - v.top;
    const Span rows = span(startY, v.dh, v.kh, v.h);
    const T* gradient = dy + r * v.ow * v.c;
    for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
      const T* row = x + (r / v.oh * v.h + startY + ky * v.dh) * v.w * v.c;
      float* to = dw + ky * v.kw * v.c;
      addOutputs(v, row, gradient, to, 0, inner);
      addOutputs(v, row, gradient, to, outer, v.ow);
      addRow(row + (inner * v.sw - v.left) * v.c, v.sw * v.c, v.dw * v.c, gradient + inner * v.c, outer - inner, v.c,
             to);
    }
  }
}

/** Adds output rows begin..end-1 of n * oh to dw [kh, kw, c]. */
FOVEA_CLONES void kernelRows(const Conv& v, const float* x, const float* dy, float* dw, int64_t begin, int64_t end) {
  const int64_t c = v.c;
  for (int64_t r = begin; r < end; ++r) {
    const int64_t n = r / v.oh, oy = r % v.oh;
    const float* image = x + n * v.h * v.w * c;
    for (int64_t ky = 0; ky < v.kh; ++ky) {
      const int64_t iy = oy * v.sh - v.top + ky * v.dh;
      if (iy < 0 || iy >= v.h) continue;
      for (int64_t kx = 0; kx < v.kw; ++kx) {
        for (int64_t j0 = 0; j0 < c; j0 += kBlock) {
          const int64_t count = std::min(kBlock, c - j0);
          float sum[kBlock] = {};
          for (int64_t ox = 0; ox < v.ow; ++ox) {
            const int64_t ix = ox * v.sw - v.left + kx * v.dw;
            if (ix < 0 || ix >= v.w) continue;
            const float* a = image + (iy * v.w + ix) * c + j0;
            const float* b = dy + (r * v.ow + ox) * c + j0;
            if (count == kBlock) {
#pragma omp simd
              for (int64_t j = 0; j < kBlock; ++j) sum[j] += a[j] * b[j];
            } else {
#pragma omp simd
              for (int64_t j = 0; j < count; ++j) sum[j] += a[j] * b[j];
            }
          }
          float* t = dw + (ky * v.kw + kx) * c + j0;
          for (int64_t j = 0; j < count; ++j) t[j] += sum[j];
        }
      }
    }
  }
}

template <class T>
KernelPtr backwardKernel(const Conv& v) {
  constexpr bool kNarrow = !std::is_same_v<T, float>;
  const RowGradient<T> addRow = rowGradient<T>(v.kw);
  if (kNarrow && addRow == nullptr) return nullptr;
  return depthwiseGradient<T>(v, "own:depthwise",
                              [v, addRow](const T* x, const T* dy, int64_t begin, int64_t end, float* sums) {
                                if constexpr (!kNarrow) {
                                  if (addRow == nullptr) return kernelRows(v, x, dy, sums, begin, end);
                                }
                                kernelRowsBy(addRow, v, x, dy, sums, begin, end);
                              });
}

}  // namespace

KernelPtr makeDepthwiseConv(const Conv& v) {
  if (v.type != DType::kFloat32) {
    return v.kind == ConvKind::kBackwardKernel ? backwardKernel<BFloat16>(v) : nullptr;
  }
  switch (v.kind) {
    case ConvKind::kForward:
      return makeKernel(
          [v](const Pointers& p) {
            const float* bias = v.bias ? in<float>(p, 2) : nullptr;
            const float* residual = v.residual ? in<float>(p, v.residualInput()) : nullptr;
            parallelFor(v.n * v.oh, v.ow * v.c * v.kh * v.kw, [&](int64_t r) {
              forwardRow(v, in<float>(p, 0), in<float>(p, 1), bias, residual, out<float>(p, 0), r);
            });
          },
          0, "own:depthwise");
    case ConvKind::kBackwardInput:
      return makeKernel(
          [v](const Pointers& p) {
            parallelFor(v.n * v.h, v.w * v.c * v.kh * v.kw,
                        [&](int64_t r) { inputRow(v, in<float>(p, 0), in<float>(p, 1), out<float>(p, 0), r); });
          },
          0, "own:depthwise");
    default:
      return backwardKernel<float>(v);
  }
}

}  // namespace fovea::cpu
