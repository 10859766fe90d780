// No #pragma once: filters.cc has each_simd.h compile this for every instruction set. The functions are those of
// filters.h.

#include "cpu/vectors_body.h"

/** Vectors of channels taken at once: what the filters and sums of 9 taps leave of the registers. */
constexpr int kWide = kLanes == 16 ? 2 : 1;
constexpr int kTaps = 9;

/** Fetches kCount vectors. */
template <int kCount, class T>
FOVEA_INLINE void fetch(const T* p) {
  for (int64_t i = 0; i < static_cast<int64_t>(kCount * kLanes * sizeof(T)); i += 64) {
    __builtin_prefetch(reinterpret_cast<const char*>(p) + i, 0, 2);
  }
}
template <int kCount, class T>
FOVEA_INLINE void fetchToWrite(const T* p) {
  for (int64_t i = 0; i < static_cast<int64_t>(kCount * kLanes * sizeof(T)); i += 64) {
    __builtin_prefetch(reinterpret_cast<const char*>(p) + i, 1, 2);
  }
}

/**
 * Two vectors of BFloat16 are widened as those of the even channels and those of the odd: a shift and a mask, where
 * their order in memory would take four steps. What goes with them has to lie in the same order.
 */
template <int kCount, class T>
constexpr bool kByParity = kCount == 2 && sizeof(T) == 2;

template <int kCount>
using Vectors = Vector[kCount];
using LooseBits = uint32_t __attribute__((vector_size(kLanes * 4), aligned(2), may_alias));
constexpr uint32_t kUpper = 0xffff0000u;

/** The bfloat16 nearest to each value, in the upper half of its bits, which are all that counts. */
FOVEA_INLINE Bits rounded(Vector v) {
  const Bits u = reinterpret_cast<Bits>(v), up = u + 0x7fffu + ((u >> 16) & 1u);
  return v != v ? u | 0x400000u : up;
}

template <int kCount, class T>
FOVEA_INLINE void read(const T* p, Vectors<kCount>& v) {
  if constexpr (kByParity<kCount, T>) {
    const Bits u = *reinterpret_cast<const LooseBits*>(p);
    v[0] = reinterpret_cast<Vector>(u << 16);
    v[1] = reinterpret_cast<Vector>(u & kUpper);
  } else {
#pragma GCC unroll 2
    for (int i = 0; i < kCount; ++i) v[i] = load(p + i * kLanes, kLanes);
  }
}

/** Writes all but the first `skipped` values, which are 0 of more than one vector. */
template <int kCount, class T>
FOVEA_INLINE void write(T* p, const Vectors<kCount>& v, int64_t skipped) {
  if constexpr (kByParity<kCount, T>) {
    *reinterpret_cast<LooseBits*>(p) = (rounded(v[0]) >> 16) | (rounded(v[1]) & kUpper);
  } else if (skipped > 0) {
    T values[kLanes];
    store(values, v[0], kLanes);
    std::memcpy(p + skipped, values + skipped, static_cast<size_t>(kLanes - skipped) * sizeof(T));
  } else {
#pragma GCC unroll 2
    for (int i = 0; i < kCount; ++i) store(p + i * kLanes, v[i], kLanes);
  }
}

using Order = int32_t __attribute__((vector_size(kLanes * 4)));

/** kCount * kLanes floats in the order in which those of type T are read. */
template <int kCount, class T>
FOVEA_INLINE void readFloats(const float* p, Vectors<kCount>& v) {
  read<kCount>(p, v);
  if constexpr (kByParity<kCount, T>) {
    const Vector a = v[0], b = v[1];
    Order even, odd;
#pragma GCC unroll 16
    for (int32_t i = 0; i < kLanes; ++i) even[i] = 2 * i, odd[i] = 2 * i + 1;
    v[0] = __builtin_shuffle(a, b, even);
    v[1] = __builtin_shuffle(a, b, odd);
  }
}
/** Adds them there. */
template <int kCount, class T>
FOVEA_INLINE void addFloats(float* p, const Vectors<kCount>& v, int64_t skipped) {
  Vectors<kCount> sum;
  read<kCount>(p, sum);
  if constexpr (kByParity<kCount, T>) {
    Order lower, upper;
#pragma GCC unroll 16
    for (int32_t i = 0; i < kLanes; ++i) {
      lower[i] = i / 2 + (i % 2) * kLanes;
      upper[i] = lower[i] + kLanes / 2;
    }
    sum[0] += __builtin_shuffle(v[0], v[1], lower);
    sum[1] += __builtin_shuffle(v[0], v[1], upper);
  } else {
#pragma GCC unroll 2
    for (int i = 0; i < kCount; ++i) sum[i] += v[i];
  }
  write<kCount>(p, sum, skipped);
}

/** Calls `use(row, tap, i, v)` for every vector i of the column at `at` and the taps of its row, and goes to the next.
 */
template <int kCount, class T, class Use>
FOVEA_INLINE void takeColumn(const T* (&at)[3], const int64_t (&step)[3], const Use& use) {
#pragma GCC unroll 3
  for (int row = 0; row < 3; ++row) {
    Vectors<kCount> v;
    read<kCount>(at[row], v);
#pragma GCC unroll 2
    for (int i = 0; i < kCount; ++i) {
#pragma GCC unroll 3
      for (int tap = 0; tap < 3; ++tap) use(row, tap, i, v[i]);
    }
    at[row] += step[row];
  }
}

/** One row of outputs for kCount vectors of channels from j on, but for the first `skipped` channels. */
template <int kCount, class T>
FOVEA_INLINE void filterChannels(const FilterRows<T>& x, const FilterOutputs<T>& o, int64_t j, int64_t skipped) {
  Vectors<kCount> filters[kTaps], sums[3], begin{};
#pragma GCC unroll 9
  for (int t = 0; t < kTaps; ++t) readFloats<kCount, T>(o.filters + t * x.c + j, filters[t]);
  if (o.bias != nullptr) readFloats<kCount, T>(o.bias + j, begin);
#pragma GCC unroll 2
  for (int i = 0; i < kCount; ++i) sums[0][i] = sums[1][i] = sums[2][i] = begin[i];
  // sums[k] is of output `to` + k: the first of them is whole after this column.
  int64_t to = x.left - 2;
  const auto finish = [&]() FOVEA_FORCE {
    if (to >= 0 && to < o.count) {
      T* y = o.y + to * x.c + j;
      Vectors<kCount> v{}, sum;
      if (o.residual != nullptr) read<kCount>(o.residual + to * x.c + j, v);
#pragma GCC unroll 2
      for (int i = 0; i < kCount; ++i) {
        sum[i] = sums[0][i] + v[i];
        if (o.relu) sum[i] = sum[i] <= 0 ? Vector{} : sum[i];  // Keeps NaN.
      }
      write<kCount>(y, sum, skipped);
      fetchToWrite<kCount>(y + o.count * x.c);
    }
    ++to;
#pragma GCC unroll 2
    for (int i = 0; i < kCount; ++i) {
      sums[0][i] = sums[1][i];
      sums[1][i] = sums[2][i];
      sums[2][i] = begin[i];
    }
  };
  const T* at[3] = {x.at[0] + j, x.at[1] + j, x.at[2] + j};
  for (int64_t column = 0; column < x.columns; ++column) {
    fetch<kCount>(at[1] + x.ahead);
    takeColumn<kCount>(at, x.step, [&](int row, int tap, int i, Vector v) FOVEA_FORCE {
      sums[2 - tap][i] += v * filters[row * 3 + tap][i];
    });
    finish();
  }
  finish();
  finish();
}

template <class T>
void filter(const FilterRows<T>& x, const FilterOutputs<T>& o) {
  int64_t j = 0;
  for (; j + kWide * kLanes <= x.c; j += kWide * kLanes) filterChannels<kWide>(x, o, j, 0);
  for (; j + kLanes <= x.c; j += kLanes) filterChannels<1>(x, o, j, 0);
  if (j < x.c) filterChannels<1>(x, o, x.c - kLanes, kLanes - (x.c - j));
}

/** What rows of outputs give for kCount vectors of channels from j on, but for the first `skipped` channels. */
template <int kCount, class T>
FOVEA_INLINE void gradientChannels(const FilterRows<T>* x, const T* dy, int64_t width, int64_t count, float* dw,
                                   int64_t j, int64_t skipped) {
  Vectors<kCount> sums[kTaps] = {};
  const int64_t c = x->c;
  for (int64_t line = 0; line < count; ++line, ++x, dy += width * c) {
    // d[k] is the gradient of output `of` + k.
    Vectors<kCount> d[3] = {};
    int64_t of = x->left - 5;
    const auto next = [&]() FOVEA_FORCE {
      const int64_t newest = ++of + 2;
      Vectors<kCount> v{};
      if (newest >= 0 && newest < width) read<kCount>(dy + newest * c + j, v);
#pragma GCC unroll 2
      for (int i = 0; i < kCount; ++i) d[0][i] = d[1][i], d[1][i] = d[2][i], d[2][i] = v[i];
    };
    next();
    next();
    const T* at[3] = {x->at[0] + j, x->at[1] + j, x->at[2] + j};
    for (int64_t column = 0; column < x->columns; ++column) {
      next();
      fetch<kCount>(at[1] + x->ahead);
      fetch<kCount>(dy + column * c + j + x->ahead);
      takeColumn<kCount>(at, x->step, [&](int row, int tap, int i, Vector v) FOVEA_FORCE {
        sums[row * 3 + tap][i] += v * d[2 - tap][i];
      });
    }
  }
#pragma GCC unroll 9
  for (int t = 0; t < kTaps; ++t) addFloats<kCount, T>(dw + t * c + j, sums[t], skipped);
}

template <class T>
void gradient(const FilterRows<T>* x, const T* dy, int64_t width, int64_t count, float* dw) {
  const int64_t c = x->c;
  int64_t j = 0;
  for (; j + kWide * kLanes <= c; j += kWide * kLanes) gradientChannels<kWide>(x, dy, width, count, dw, j, 0);
  for (; j + kLanes <= c; j += kLanes) gradientChannels<1>(x, dy, width, count, dw, j, 0);
  if (j < c) gradientChannels<1>(x, dy, width, count, dw, c - kLanes, kLanes - (c - j));
}

template <class T>
const FilterLoops<T>* loops() {
  static constexpr FilterLoops<T> kLoops{kLanes, filter<T>, gradient<T>};
  return &kLoops;
}
