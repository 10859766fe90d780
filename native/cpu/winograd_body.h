// No #pragma once: winograd.cc has each_simd.h compile this for every instruction set. The functions are those of
// winograd.h.

using V = float __attribute__((vector_size(kLanes * 4)));
using Loose = float __attribute__((vector_size(kLanes * 4), aligned(4)));

FOVEA_INLINE V load(const float* p, int64_t count) {
  if (count >= kLanes) return *reinterpret_cast<const Loose*>(p);
  V v{};
  if (count > 0) std::memcpy(&v, p, static_cast<size_t>(count) * sizeof(float));
  return v;
}
FOVEA_INLINE void store(float* p, V v, int64_t count) {
  if (count >= kLanes) {
    *reinterpret_cast<Loose*>(p) = v;
  } else if (count > 0) {
    std::memcpy(p, &v, static_cast<size_t>(count) * sizeof(float));
  }
}
using Bits = uint32_t __attribute__((vector_size(kLanes * 4)));
using Halves = uint16_t __attribute__((vector_size(kLanes * 2)));
using LooseHalves = uint16_t __attribute__((vector_size(kLanes * 2), aligned(2)));

FOVEA_INLINE V load(const BFloat16* p, int64_t count) {
  Halves h{};
  if (count >= kLanes) {
    h = *reinterpret_cast<const LooseHalves*>(p);
  } else if (count > 0) {
    std::memcpy(&h, p, static_cast<size_t>(count) * sizeof(BFloat16));
  }
  return reinterpret_cast<V>(__builtin_convertvector(h, Bits) << 16);
}
/** Rounds as toBFloat16 does. */
FOVEA_INLINE void store(BFloat16* p, V v, int64_t count) {
  const Bits u = reinterpret_cast<Bits>(v), upper = u >> 16, rounded = (u + 0x7fffu + (upper & 1u)) >> 16;
  const Halves h = __builtin_convertvector(v != v ? upper | 0x40u : rounded, Halves);
  if (count >= kLanes) {
    *reinterpret_cast<LooseHalves*>(p) = h;
  } else if (count > 0) {
    std::memcpy(p, &h, static_cast<size_t>(count) * sizeof(BFloat16));
  }
}
FOVEA_INLINE void storeWhole(float* p, V v) { *reinterpret_cast<Loose*>(p) = v; }

/** B^T */
FOVEA_INLINE void inputLine(const V i[6], V o[6]) {
  const V a = i[4] - 4.0f * i[2], b = i[3] - 4.0f * i[1], c = i[4] - i[2], d = 2.0f * (i[3] - i[1]);
  o[0] = 4.0f * i[0] - 5.0f * i[2] + i[4];
  o[1] = a + b;
  o[2] = a - b;
  o[3] = c + d;
  o[4] = c - d;
  o[5] = 4.0f * i[1] - 5.0f * i[3] + i[5];
}
/** A^T */
template <int kTile>
FOVEA_INLINE void outputLine(const V m[6], V y[kTile]) {
  const V a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  y[0] = m[0] + a + c;
  if constexpr (kTile == 2) {
    y[1] = b + 2.0f * d + m[5];
  } else {
    y[1] = b + 2.0f * d;
    y[2] = a + 4.0f * c;
    y[3] = b + 8.0f * d + m[5];
  }
}
/** A */
template <int kTile>
FOVEA_INLINE void outputLineTransposed(const V y[kTile], V o[6]) {
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
  o[5] = y[kTile - 1];
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

template <class T>
void input(const T* x, const Plane& plane, int64_t top, int64_t left, float* v, int64_t stride) {
  const int64_t c = plane.channels, row = plane.width * c;
  const bool inside = top >= 0 && left >= 0 && top + kInput <= plane.height && left + kInput <= plane.width;
  for (int64_t j = 0; j < c; j += kLanes) {
    const int64_t count = c - j;
    V t[6][6];
    if (inside) {
      const T* from = x + top * row + left * c + j;
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

template <int kTile, class T>
void outputOf(const float* m, int64_t stride, T* y, const Plane& plane, int64_t top, int64_t left,
              const Finish<T>& finish) {
  const int64_t c = plane.channels, row = plane.width * c;
  const int64_t rows = plane.height - top < kTile ? plane.height - top : kTile;
  const int64_t columns = plane.width - left < kTile ? plane.width - left : kTile;
  T* to = y + top * row + left * c;
  const T* residual = finish.residual == nullptr ? nullptr : finish.residual + top * row + left * c;
  for (int64_t j = 0; j < c; j += kLanes) {
    const int64_t count = c - j;
    V t[kTile][6];
#pragma GCC unroll 6
    for (int64_t q = 0; q < 6; ++q) {
      V line[6], o[kTile];
#pragma GCC unroll 6
      for (int64_t p = 0; p < 6; ++p) line[p] = *reinterpret_cast<const Loose*>(m + (p * 6 + q) * stride + j);
      outputLine<kTile>(line, o);
#pragma GCC unroll 4
      for (int64_t p = 0; p < kTile; ++p) t[p][q] = o[p];
    }
    const V b = finish.bias != nullptr ? load(finish.bias + j, count) : V{};
    for (int64_t p = 0; p < rows; ++p) {
      V o[kTile];
      outputLine<kTile>(t[p], o);
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

template <int kTile, class T>
void outputTransposedOf(const T* y, const Plane& plane, int64_t top, int64_t left, float* v, int64_t stride,
                        int64_t panel) {
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
        const bool real = top + p < plane.height && left + q < plane.width;
        line[p] = real ? load(from + p * row + q * c + j, count) : V{};
      }
      outputLineTransposed<kTile>(line, o);
#pragma GCC unroll 6
      for (int64_t p = 0; p < 6; ++p) t[p][q] = o[p];
    }
#pragma GCC unroll 6
    for (int64_t p = 0; p < 6; ++p) {
      V o[6];
      outputLineTransposed<kTile>(t[p], o);
#pragma GCC unroll 6
      for (int64_t q = 0; q < 6; ++q) storeWhole(to + (p * 6 + q) * stride, o[q]);
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

template <class T>
void output(int taps, const float* m, int64_t stride, T* y, const Plane& plane, int64_t top, int64_t left,
            const Finish<T>& finish) {
  (taps == 5 ? outputOf<2, T> : outputOf<4, T>)(m, stride, y, plane, top, left, finish);
}
template <class T>
void outputTransposed(int taps, const T* y, const Plane& plane, int64_t top, int64_t left, float* v, int64_t stride,
                      int64_t panel) {
  (taps == 5 ? outputTransposedOf<2, T> : outputTransposedOf<4, T>)(y, plane, top, left, v, stride, panel);
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
