#include "cpu/winograd.h"

#include <cstdlib>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4")

namespace fovea::cpu::winograd {
namespace {

constexpr int64_t kLanes = 16;
using V = float __attribute__((vector_size(64)));
using Loose = float __attribute__((vector_size(64), aligned(4)));

#define INLINE inline __attribute__((always_inline))

INLINE V load(const float* p, int64_t count) {
  if (count >= kLanes) return *reinterpret_cast<const Loose*>(p);
  V v{};
  std::memcpy(&v, p, static_cast<size_t>(count) * sizeof(float));
  return v;
}
INLINE void store(float* p, V v, int64_t count) {
  if (count >= kLanes) {
    *reinterpret_cast<Loose*>(p) = v;
  } else {
    std::memcpy(p, &v, static_cast<size_t>(count) * sizeof(float));
  }
}
INLINE void storeWhole(float* p, V v) { *reinterpret_cast<Loose*>(p) = v; }

/** B^T */
INLINE void inputLine(const V i[6], V o[6]) {
  const V a = i[4] - 4.0f * i[2], b = i[3] - 4.0f * i[1], c = i[4] - i[2], d = 2.0f * (i[3] - i[1]);
  o[0] = 4.0f * i[0] - 5.0f * i[2] + i[4];
  o[1] = a + b;
  o[2] = a - b;
  o[3] = c + d;
  o[4] = c - d;
  o[5] = 4.0f * i[1] - 5.0f * i[3] + i[5];
}
/** A^T */
INLINE void outputLine(const V m[6], V y[4]) {
  const V a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  y[0] = m[0] + a + c;
  y[1] = b + 2.0f * d;
  y[2] = a + 4.0f * c;
  y[3] = b + 8.0f * d + m[5];
}
/** A */
INLINE void outputLineTransposed(const V y[4], V o[6]) {
  const V e = y[0] + y[2], f = y[1] + y[3], g = y[0] + 4.0f * y[2], h = 2.0f * y[1] + 8.0f * y[3];
  o[0] = y[0];
  o[1] = e + f;
  o[2] = e - f;
  o[3] = g + h;
  o[4] = g - h;
  o[5] = y[3];
}
/** G */
INLINE void kernelLine(const V w[3], V u[6]) {
  const V a = (w[0] + w[2]) * (-1.0f / 6), b = w[1] * (1.0f / 6);
  const V c = w[0] * (1.0f / 24) + w[2] * (1.0f / 6), d = w[1] * (1.0f / 12);
  u[0] = w[0] * 0.25f;
  u[1] = a - b;
  u[2] = a + b;
  u[3] = c + d;
  u[4] = c - d;
  u[5] = w[2];
}
/** G^T */
INLINE void kernelLineTransposed(const V u[6], V w[3]) {
  const V a = (u[1] + u[2]) * (1.0f / 6), b = u[3] + u[4];
  w[0] = u[0] * 0.25f - a + b * (1.0f / 24);
  w[1] = (u[2] - u[1]) * (1.0f / 6) + (u[3] - u[4]) * (1.0f / 12);
  w[2] = b * (1.0f / 6) - a + u[5];
}

}  // namespace

void input(const float* x, const Plane& plane, int64_t top, int64_t left, float* v, int64_t stride) {
  const int64_t c = plane.channels, row = plane.width * c;
  const bool inside = top >= 0 && left >= 0 && top + kInput <= plane.height && left + kInput <= plane.width;
  for (int64_t j = 0; j < c; j += kLanes) {
    const int64_t count = c - j;
    V t[6][6];
    if (inside) {
      const float* from = x + top * row + left * c + j;
#pragma GCC unroll 6
      for (int64_t q = 0; q < 6; ++q) {
        V line[6], o[6];
#pragma GCC unroll 6
        for (int64_t p = 0; p < 6; ++p) line[p] = load(from + p * row + q * c, count);
        inputLine(line, o);
#pragma GCC unroll 6
        for (int64_t p = 0; p < 6; ++p) t[p][q] = o[p];
      }
    } else {
      for (int64_t q = 0; q < 6; ++q) {
        V line[6], o[6];
        const int64_t ix = left + q;
        for (int64_t p = 0; p < 6; ++p) {
          const int64_t iy = top + p;
          const bool real = iy >= 0 && iy < plane.height && ix >= 0 && ix < plane.width;
          line[p] = real ? load(x + iy * row + ix * c + j, count) : V{};
        }
        inputLine(line, o);
        for (int64_t p = 0; p < 6; ++p) t[p][q] = o[p];
      }
    }
#pragma GCC unroll 6
    for (int64_t p = 0; p < 6; ++p) {
      V o[6];
      inputLine(t[p], o);
#pragma GCC unroll 6
      for (int64_t q = 0; q < 6; ++q) storeWhole(v + (p * 6 + q) * stride + j, o[q]);
    }
  }
}

void output(const float* m, int64_t stride, float* y, const Plane& plane, int64_t top, int64_t left, const float* bias,
            bool relu) {
  const int64_t c = plane.channels, row = plane.width * c;
  const int64_t rows = plane.height - top < 4 ? plane.height - top : 4;
  const int64_t columns = plane.width - left < 4 ? plane.width - left : 4;
  float* to = y + top * row + left * c;
  for (int64_t j = 0; j < c; j += kLanes) {
    const int64_t count = c - j;
    V t[4][6];
#pragma GCC unroll 6
    for (int64_t q = 0; q < 6; ++q) {
      V line[6], o[4];
#pragma GCC unroll 6
      for (int64_t p = 0; p < 6; ++p) line[p] = *reinterpret_cast<const Loose*>(m + (p * 6 + q) * stride + j);
      outputLine(line, o);
#pragma GCC unroll 4
      for (int64_t p = 0; p < 4; ++p) t[p][q] = o[p];
    }
    const V b = bias != nullptr ? load(bias + j, count) : V{};
    for (int64_t p = 0; p < rows; ++p) {
      V o[4];
      outputLine(t[p], o);
#pragma GCC unroll 4
      for (int64_t q = 0; q < 4; ++q) {
        V r = o[q] + b;
        if (relu) r = r <= V{} ? V{} : r;
        if (q < columns) store(to + p * row + q * c + j, r, count);
      }
    }
  }
}

void outputTransposed(const float* y, const Plane& plane, int64_t top, int64_t left, float* v, int64_t stride,
                      int64_t panel) {
  const int64_t c = plane.channels, row = plane.width * c;
  const float* from = y + top * row + left * c;
  for (int64_t j = 0; j < c; j += kLanes) {
    const int64_t count = c - j;
    float* to = v + j / 32 * panel + j % 32;
    V t[6][4];
#pragma GCC unroll 4
    for (int64_t q = 0; q < 4; ++q) {
      V line[4], o[6];
#pragma GCC unroll 4
      for (int64_t p = 0; p < 4; ++p) {
        const bool real = top + p < plane.height && left + q < plane.width;
        line[p] = real ? load(from + p * row + q * c + j, count) : V{};
      }
      outputLineTransposed(line, o);
#pragma GCC unroll 6
      for (int64_t p = 0; p < 6; ++p) t[p][q] = o[p];
    }
#pragma GCC unroll 6
    for (int64_t p = 0; p < 6; ++p) {
      V o[6];
      outputLineTransposed(t[p], o);
#pragma GCC unroll 6
      for (int64_t q = 0; q < 6; ++q) storeWhole(to + (p * 6 + q) * stride, o[q]);
    }
  }
}

void kernel(const float* w, int64_t positionStride, int64_t count, float* u, int64_t stride, bool rotated) {
  V t[6][3];
#pragma GCC unroll 3
  for (int64_t q = 0; q < 3; ++q) {
    V line[3], o[6];
#pragma GCC unroll 3
    for (int64_t p = 0; p < 3; ++p) {
      const int64_t position = rotated ? 8 - (p * 3 + q) : p * 3 + q;
      line[p] = load(w + position * positionStride, count);
    }
    kernelLine(line, o);
#pragma GCC unroll 6
    for (int64_t p = 0; p < 6; ++p) t[p][q] = o[p];
  }
#pragma GCC unroll 6
  for (int64_t p = 0; p < 6; ++p) {
    V o[6];
    kernelLine(t[p], o);
#pragma GCC unroll 6
    for (int64_t q = 0; q < 6; ++q) storeWhole(u + (p * 6 + q) * stride, o[q]);
  }
}

void kernelTransposed(const float* u, int64_t stride, int64_t count, float* dw, int64_t positionStride) {
  V t[3][6];
#pragma GCC unroll 6
  for (int64_t q = 0; q < 6; ++q) {
    V line[6], o[3];
#pragma GCC unroll 6
    for (int64_t p = 0; p < 6; ++p) line[p] = *reinterpret_cast<const Loose*>(u + (p * 6 + q) * stride);
    kernelLineTransposed(line, o);
#pragma GCC unroll 3
    for (int64_t p = 0; p < 3; ++p) t[p][q] = o[p];
  }
#pragma GCC unroll 3
  for (int64_t p = 0; p < 3; ++p) {
    V o[3];
    kernelLineTransposed(t[p], o);
#pragma GCC unroll 3
    for (int64_t q = 0; q < 3; ++q) store(dw + (p * 3 + q) * positionStride, o[q], count);
  }
}

}  // namespace fovea::cpu::winograd

#undef INLINE
#pragma GCC pop_options

#else

namespace fovea::cpu::winograd {

void input(const float*, const Plane&, int64_t, int64_t, float*, int64_t) { std::abort(); }
void output(const float*, int64_t, float*, const Plane&, int64_t, int64_t, const float*, bool) { std::abort(); }
void outputTransposed(const float*, const Plane&, int64_t, int64_t, float*, int64_t, int64_t) { std::abort(); }
void kernel(const float*, int64_t, int64_t, float*, int64_t, bool) { std::abort(); }
void kernelTransposed(const float*, int64_t, int64_t, float*, int64_t) { std::abort(); }

}  // namespace fovea::cpu::winograd

#endif
