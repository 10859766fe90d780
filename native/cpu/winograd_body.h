// No #pragma once: winograd.cc has each_simd.h compile this for every instruction set. The functions are those of
// winograd.h.

#include "cpu/vectors_body.h"

using V = Vector;

FOVEA_INLINE void storeWhole(float* p, V v) { *reinterpret_cast<Loose*>(p) = v; }

/** B^T of kTaken points: the row of point a is multiplied by (a - b) for every point b left out (winograd.h). */
template <int kTaken>
FOVEA_INLINE void inputLineOf(const V i[6], V o[6]) {
  if constexpr (kTaken == 5) {
    const V a = i[4] - 4.0f * i[2], b = i[3] - 4.0f * i[1], c = i[4] - i[2], d = 2.0f * (i[3] - i[1]);
    o[0] = 4.0f * i[0] - 5.0f * i[2] + i[4];
    o[1] = a + b;
    o[2] = a - b;
    o[3] = c + d;
    o[4] = c - d;
    o[5] = 4.0f * i[1] - 5.0f * i[3] + i[5];
  } else if constexpr (kTaken == 4) {
    const V a = i[3] - i[1], b = i[3] - i[2];
    o[0] = 4.0f * (i[0] - i[2]) + 2.0f * a;
    o[1] = 3.0f * (b - 2.0f * i[1]);
    o[2] = 2.0f * (i[1] - i[2]) + b;
    o[3] = 4.0f * a;
    o[4] = V{};
    o[5] = i[4] - i[2] - 2.0f * a;
  } else if constexpr (kTaken == 3) {
    o[0] = 4.0f * (i[0] - i[2]);
    o[1] = -3.0f * (i[1] + i[2]);
    o[2] = 3.0f * (i[1] - i[2]);
    o[3] = o[4] = V{};
    o[5] = i[3] - i[1];
  } else {
    o[0] = 4.0f * (i[0] - i[1]);
    o[1] = -6.0f * i[1];
    o[2] = o[3] = o[4] = V{};
    o[5] = i[2] - i[1];
  }
}
FOVEA_INLINE void inputLine(int taken, const V i[6], V o[6]) {
  switch (taken) {
    case 5:
      return inputLineOf<5>(i, o);
    case 4:
      return inputLineOf<4>(i, o);
    case 3:
      return inputLineOf<3>(i, o);
    default:
      return inputLineOf<2>(i, o);
  }
}
/**
 * A^T: elements that are not taken have to be 0. m[5], of the point infinity, goes to the last output that the points
 * are for; those after it mean nothing.
 */
template <int kTile>
FOVEA_INLINE void outputLine(int taken, const V m[6], V y[kTile]) {
  const V a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  y[0] = m[0] + a + c;
  y[1] = b + 2.0f * d;
  if constexpr (kTile == 4) {
    y[2] = a + 4.0f * c;
    y[3] = b + 8.0f * d;
  }
  const int last = taken + kTile - 6;
#pragma GCC unroll 4
  for (int i = 0; i < kTile; ++i) {
    if (i == last) y[i] += m[5];
  }
}
/** A: outputs after the last one that the points are for have to be 0. */
template <int kTile>
FOVEA_INLINE void outputLineTransposed(int taken, const V y[kTile], V o[6]) {
  V e = y[0], f = y[1], g = y[0], h = 2.0f * y[1];
  if constexpr (kTile == 4) {
    e += y[2];
    f += y[3];
    g += 4.0f * y[2];
    h += 8.0f * y[3];
  }
  o[0] = y[0];
  o[1] = e + f;
  o[2] = e - f;
  o[3] = g + h;
  o[4] = g - h;
  o[5] = y[0];
  const int last = taken + kTile - 6;
#pragma GCC unroll 4
  for (int i = 1; i < kTile; ++i) {
    if (i == last) o[5] = y[i];
  }
}
/** G */
template <int kTaps>
FOVEA_INLINE void kernelLine(const V w[kTaps], V u[6]) {
  V a = w[0] + w[2], b = w[1], c = w[0] * (1.0f / 24) + w[2] * (1.0f / 6), d = w[1] * (1.0f / 12);
  if constexpr (kTaps == 5) {
    a += w[4];
    b += w[3];
    c += w[4] * (2.0f / 3);
    d += w[3] * (1.0f / 3);
  }
  a *= -1.0f / 6;
  b *= 1.0f / 6;
  u[0] = w[0] * 0.25f;
  u[1] = a - b;
  u[2] = a + b;
  u[3] = c + d;
  u[4] = c - d;
  u[5] = w[kTaps - 1];
}
/** G^T */
template <int kTaps>
FOVEA_INLINE void kernelLineTransposed(const V u[6], V w[kTaps]) {
  const V a = (u[1] + u[2]) * (1.0f / 6), b = u[3] + u[4], c = (u[2] - u[1]) * (1.0f / 6), d = u[3] - u[4];
  w[0] = u[0] * 0.25f - a + b * (1.0f / 24);
  w[1] = c + d * (1.0f / 12);
  w[2] = b * (1.0f / 6) - a;
  if constexpr (kTaps == 5) {
    w[3] = c + d * (1.0f / 3);
    w[4] = b * (2.0f / 3) - a;
  }
  w[kTaps - 1] += u[5];
}

/** kWhole: of all points, which are then known when this is compiled. */
template <bool kWhole, class T>
void inputOf(const T* x, const Plane& plane, int64_t top, int64_t left, Points points, float* v, int64_t stride) {
  const int down = kWhole ? kPoints : points.down, across = kWhole ? kPoints : points.across;
  const int64_t c = plane.channels, row = plane.width * c;
  const bool inside = top >= 0 && left >= 0 && top + down < plane.height && left + across < plane.width;
  for (int64_t j = 0; j < c; j += kLanes) {
    const int64_t count = c - j;
    V t[6][6];
    if (kWhole && inside) {
      const T* from = x + top * row + left * c + j;
#pragma GCC unroll 6
      for (int64_t q = 0; q < 6; ++q) {
        V line[6], o[6];
#pragma GCC unroll 6
        for (int64_t p = 0; p < 6; ++p) line[p] = load(from + p * row + q * c, count);
        inputLine(down, line, o);
#pragma GCC unroll 6
        for (int64_t p = 0; p < 6; ++p) t[p][q] = o[p];
      }
    } else {
      for (int64_t q = 0; q < 6; ++q) {
        V line[6], o[6];
        const int64_t ix = left + q;
        for (int64_t p = 0; p < 6; ++p) {
          const int64_t iy = top + p;
          const bool real = iy >= 0 && iy < plane.height && ix >= 0 && ix < plane.width && p <= down && q <= across;
          line[p] = real ? load(x + iy * row + ix * c + j, count) : V{};
        }
        inputLine(down, line, o);
        for (int64_t p = 0; p < 6; ++p) t[p][q] = o[p];
      }
    }
#pragma GCC unroll 6
    for (int64_t p = 0; p < 6; ++p) {
      if (!takes(down, p)) continue;
      V o[6];
      inputLine(across, t[p], o);
#pragma GCC unroll 6
      for (int64_t q = 0; q < 6; ++q) {
        if (takes(across, q)) storeWhole(v + (p * 6 + q) * stride + j, o[q]);
      }
    }
  }
}

template <bool kWhole, int kTile, class T>
void outputOf(const float* m, int64_t stride, T* y, const Plane& plane, int64_t top, int64_t left, Points points,
              const Finish<T>& finish) {
  const int down = kWhole ? kPoints : points.down, across = kWhole ? kPoints : points.across;
  const int rows = down + kTile - kPoints, columns = across + kTile - kPoints;
  const int64_t c = plane.channels, row = plane.width * c;
  T* to = y + top * row + left * c;
  const T* residual = finish.residual == nullptr ? nullptr : finish.residual + top * row + left * c;
  for (int64_t j = 0; j < c; j += kLanes) {
    const int64_t count = c - j;
    V t[kTile][6];
#pragma GCC unroll 6
    for (int64_t q = 0; q < 6; ++q) {
      V line[6], o[kTile];
#pragma GCC unroll 6
      for (int64_t p = 0; p < 6; ++p) {
        const bool real = takes(down, p) && takes(across, q);
        line[p] = real ? *reinterpret_cast<const Loose*>(m + (p * 6 + q) * stride + j) : V{};
      }
      outputLine<kTile>(down, line, o);
#pragma GCC unroll 4
      for (int64_t p = 0; p < kTile; ++p) t[p][q] = o[p];
    }
    const V b = finish.bias != nullptr ? load(finish.bias + j, count) : V{};
    for (int64_t p = 0; p < rows; ++p) {
      V o[kTile];
      outputLine<kTile>(across, t[p], o);
#pragma GCC unroll 4
      for (int64_t q = 0; q < kTile; ++q) {
        if (q >= columns) continue;
        V r = o[q] + b;
        if (residual != nullptr) r += load(residual + p * row + q * c + j, count);
        if (finish.relu) r = r <= V{} ? V{} : r;
        store(to + p * row + q * c + j, r, count);
      }
    }
  }
}

template <bool kWhole, int kTile, class T>
void outputTransposedOf(const T* y, const Plane& plane, int64_t top, int64_t left, Points points, float* v,
                        int64_t stride, int64_t panel) {
  const int down = kWhole ? kPoints : points.down, across = kWhole ? kPoints : points.across;
  const int rows = down + kTile - kPoints, columns = across + kTile - kPoints;
  const int64_t c = plane.channels, row = plane.width * c;
  const T* from = y + top * row + left * c;
  for (int64_t j = 0; j < c; j += kLanes) {
    const int64_t count = c - j;
    float* to = v + j / kPanel * panel + j % kPanel;
    V t[6][kTile];
#pragma GCC unroll 4
    for (int64_t q = 0; q < kTile; ++q) {
      V line[kTile], o[6];
#pragma GCC unroll 4
      for (int64_t p = 0; p < kTile; ++p) {
        line[p] = p < rows && q < columns ? load(from + p * row + q * c + j, count) : V{};
      }
      outputLineTransposed<kTile>(down, line, o);
#pragma GCC unroll 6
      for (int64_t p = 0; p < 6; ++p) t[p][q] = o[p];
    }
#pragma GCC unroll 6
    for (int64_t p = 0; p < 6; ++p) {
      if (!takes(down, p)) continue;
      V o[6];
      outputLineTransposed<kTile>(across, t[p], o);
#pragma GCC unroll 6
      for (int64_t q = 0; q < 6; ++q) {
        if (takes(across, q)) storeWhole(to + (p * 6 + q) * stride, o[q]);
      }
    }
  }
}

template <int kTaps>
void kernelOf(const float* w, int64_t positionStride, int64_t count, float* u, int64_t stride, bool rotated) {
  V t[6][kTaps];
#pragma GCC unroll 5
  for (int64_t q = 0; q < kTaps; ++q) {
    V line[kTaps], o[6];
#pragma GCC unroll 5
    for (int64_t p = 0; p < kTaps; ++p) {
      const int64_t position = rotated ? kTaps * kTaps - 1 - (p * kTaps + q) : p * kTaps + q;
      line[p] = load(w + position * positionStride, count);
    }
    kernelLine<kTaps>(line, o);
#pragma GCC unroll 6
    for (int64_t p = 0; p < 6; ++p) t[p][q] = o[p];
  }
#pragma GCC unroll 6
  for (int64_t p = 0; p < 6; ++p) {
    V o[6];
    kernelLine<kTaps>(t[p], o);
#pragma GCC unroll 6
    for (int64_t q = 0; q < 6; ++q) storeWhole(u + (p * 6 + q) * stride, o[q]);
  }
}

template <int kTaps>
void kernelTransposedOf(const float* u, int64_t stride, int64_t count, float* dw, int64_t positionStride) {
  V t[kTaps][6];
#pragma GCC unroll 6
  for (int64_t q = 0; q < 6; ++q) {
    V line[6], o[kTaps];
#pragma GCC unroll 6
    for (int64_t p = 0; p < 6; ++p) line[p] = *reinterpret_cast<const Loose*>(u + (p * 6 + q) * stride);
    kernelLineTransposed<kTaps>(line, o);
#pragma GCC unroll 5
    for (int64_t p = 0; p < kTaps; ++p) t[p][q] = o[p];
  }
#pragma GCC unroll 5
  for (int64_t p = 0; p < kTaps; ++p) {
    V o[kTaps];
    kernelLineTransposed<kTaps>(t[p], o);
#pragma GCC unroll 5
    for (int64_t q = 0; q < kTaps; ++q) store(dw + (p * kTaps + q) * positionStride, o[q], count);
  }
}

constexpr bool whole(Points points) { return points.down == kPoints && points.across == kPoints; }

template <class T>
void input(const T* x, const Plane& plane, int64_t top, int64_t left, Points points, float* v, int64_t stride) {
  (whole(points) ? inputOf<true, T> : inputOf<false, T>)(x, plane, top, left, points, v, stride);
}
template <class T>
void output(int taps, const float* m, int64_t stride, T* y, const Plane& plane, int64_t top, int64_t left,
            const Finish<T>& finish) {
  const Points points = pointsOf(taps, plane, top, left);
  const auto run = whole(points) ? (taps == 5 ? outputOf<true, 2, T> : outputOf<true, 4, T>)
                                 : (taps == 5 ? outputOf<false, 2, T> : outputOf<false, 4, T>);
  run(m, stride, y, plane, top, left, points, finish);
}
template <class T>
void outputTransposed(int taps, const T* y, const Plane& plane, int64_t top, int64_t left, float* v, int64_t stride,
                      int64_t panel) {
  const Points points = pointsOf(taps, plane, top, left);
  const auto run = whole(points) ? (taps == 5 ? outputTransposedOf<true, 2, T> : outputTransposedOf<true, 4, T>)
                                 : (taps == 5 ? outputTransposedOf<false, 2, T> : outputTransposedOf<false, 4, T>);
  run(y, plane, top, left, points, v, stride, panel);
}
void kernel(int taps, const float* w, int64_t positionStride, int64_t count, float* u, int64_t stride, bool rotated) {
  for (int64_t j = 0; j < kBlock; j += kLanes) {
    (taps == 5 ? kernelOf<5> : kernelOf<3>)(w + j, positionStride, count - j, u + j, stride, rotated);
  }
}
void kernelTransposed(int taps, const float* u, int64_t stride, int64_t count, float* dw, int64_t positionStride) {
  for (int64_t j = 0; j < count; j += kLanes) {
    (taps == 5 ? kernelTransposedOf<5> : kernelTransposedOf<3>)(u + j, stride, count - j, dw + j, positionStride);
  }
}

template <class T>
constexpr ImageTransforms<T> kImageTransforms{input<T>, output<T>, outputTransposed<T>};
constexpr KernelTransforms kKernelTransforms{kernel, kernelTransposed};
