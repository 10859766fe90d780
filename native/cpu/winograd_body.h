// No #pragma once: winograd.cc has each_simd.h compile this for every instruction set. The functions are those of
// winograd.h, made of the lines of a form.

#include "cpu/winograd_lines_body.h"

FOVEA_INLINE void storeWhole(float* p, V v) { *reinterpret_cast<Loose*>(p) = v; }
FOVEA_INLINE V loadWhole(const float* p) { return *reinterpret_cast<const Loose*>(p); }

/** kWhole: of all points, which are then known when this is compiled. */
template <class Lines, bool kWhole, class T>
void inputOf(const T* x, const Plane& plane, int64_t top, int64_t left, Points points, OddFirst odd, float* v,
             int64_t stride) {
  constexpr Line kLine = lineOf(Lines::kForm);
  constexpr int kReads = kLine.reads, kElements = kLine.elements;
  const int down = kWhole ? kLine.points : points.down, across = kWhole ? kLine.points : points.across;
  const int readDown = Lines::reads(down), readAcross = Lines::reads(across);
  const int64_t c = plane.channels, row = plane.width * c;
  const bool inside = top >= 0 && left >= 0 && top + readDown <= plane.height && left + readAcross <= plane.width;
  for (int64_t j = 0; j < c; j += kLanes) {
    const int64_t count = c - j;
    V t[kElements][kReads];
    if (kWhole && inside && count >= kLanes) {
      const T* from = x + top * row + left * c + j;
#pragma GCC unroll 9
      for (int64_t q = 0; q < kReads; ++q) {
        V line[kReads], o[kElements];
#pragma GCC unroll 9
        for (int64_t p = 0; p < kReads; ++p) line[p] = load(from + p * row + q * c, kLanes);
        Lines::input(down, odd.down, line, o);
#pragma GCC unroll 9
        for (int64_t p = 0; p < kElements; ++p) t[p][q] = o[p];
      }
    } else {
      for (int64_t q = 0; q < kReads; ++q) {
        V line[kReads], o[kElements];
        const int64_t ix = left + q;
        for (int64_t p = 0; p < kReads; ++p) {
          const int64_t iy = top + p;
          const bool real =
              iy >= 0 && iy < plane.height && ix >= 0 && ix < plane.width && p < readDown && q < readAcross;
          line[p] = real ? load(x + iy * row + ix * c + j, count) : V{};
        }
        Lines::input(down, odd.down, line, o);
        for (int64_t p = 0; p < kElements; ++p) t[p][q] = o[p];
      }
    }
#pragma GCC unroll 9
    for (int64_t p = 0; p < kElements; ++p) {
      if (!takes(kLine, down, p)) continue;
      V o[kElements];
      Lines::input(across, odd.across, t[p], o);
#pragma GCC unroll 9
      for (int64_t q = 0; q < kElements; ++q) {
        if (takes(kLine, across, q)) storeWhole(v + (p * kElements + q) * stride + j, o[q]);
      }
    }
  }
}

template <class Lines, bool kWhole, class T>
void outputOf(const float* m, int64_t stride, T* y, const Plane& plane, int64_t top, int64_t left, Points points,
              OddFirst odd, const Finish<T>& finish) {
  constexpr Line kLine = lineOf(Lines::kForm);
  constexpr int kTile = kLine.tile, kElements = kLine.elements;
  const int down = kWhole ? kLine.points : points.down, across = kWhole ? kLine.points : points.across;
  // A tile of kTransposed takes all points for an odd number of outputs too.
  constexpr bool kFull = kWhole && Lines::kForm != Form::kTransposed;
  const int64_t rows = kFull ? kTile : std::min<int64_t>(kTile, plane.height - top);
  const int64_t columns = kFull ? kTile : std::min<int64_t>(kTile, plane.width - left);
  const int64_t c = plane.channels, row = plane.width * c;
  T* to = y + top * row + left * c;
  const T* residual = finish.residual == nullptr ? nullptr : finish.residual + top * row + left * c;
  for (int64_t j = 0; j < c; j += kLanes) {
    const int64_t count = c - j;
    V t[kTile][kElements];
#pragma GCC unroll 9
    for (int64_t q = 0; q < kElements; ++q) {
      V line[kElements], o[kTile];
#pragma GCC unroll 9
      for (int64_t p = 0; p < kElements; ++p) {
        const bool real = takes(kLine, down, p) && takes(kLine, across, q);
        line[p] = real ? loadWhole(m + (p * kElements + q) * stride + j) : V{};
      }
      Lines::output(down, odd.down, line, o);
#pragma GCC unroll 8
      for (int64_t p = 0; p < kTile; ++p) t[p][q] = o[p];
    }
    const V b = finish.bias != nullptr ? load(finish.bias + j, count) : V{};
    const auto finishTile = [&](int64_t lanes) FOVEA_FORCE {
      for (int64_t p = 0; p < rows; ++p) {
        V o[kTile];
        Lines::output(across, odd.across, t[p], o);
#pragma GCC unroll 8
        for (int64_t q = 0; q < kTile; ++q) {
          if (q >= columns) continue;
          V r = o[q] + b;
          if (residual != nullptr) r += load(residual + p * row + q * c + j, lanes);
          if (finish.relu) r = r <= V{} ? V{} : r;
          store(to + p * row + q * c + j, r, lanes);
        }
      }
    };
    if (count >= kLanes) {
      finishTile(kLanes);
    } else {
      finishTile(count);
    }
  }
}

template <class Lines, bool kWhole, class T>
void outputTransposedOf(const T* y, const Plane& plane, int64_t top, int64_t left, Points points, float* v,
                        int64_t stride, int64_t panel) {
  constexpr Line kLine = lineOf(Lines::kForm);
  constexpr int kTile = kLine.tile, kElements = kLine.elements;
  const int down = kWhole ? kLine.points : points.down, across = kWhole ? kLine.points : points.across;
  const int rows = down + kTile - kLine.points, columns = across + kTile - kLine.points;
  const int64_t c = plane.channels, row = plane.width * c;
  const T* from = y + top * row + left * c;
  for (int64_t j = 0; j < c; j += kLanes) {
    const int64_t count = c - j;
    float* to = v + j / kPanel * panel + j % kPanel;
    V t[kElements][kTile];
#pragma GCC unroll 6
    for (int64_t q = 0; q < kTile; ++q) {
      V line[kTile], o[kElements];
#pragma GCC unroll 6
      for (int64_t p = 0; p < kTile; ++p) {
        line[p] = p < rows && q < columns ? load(from + p * row + q * c + j, count) : V{};
      }
      Lines::outputTransposed(down, line, o);
#pragma GCC unroll 9
      for (int64_t p = 0; p < kElements; ++p) t[p][q] = o[p];
    }
#pragma GCC unroll 9
    for (int64_t p = 0; p < kElements; ++p) {
      if (!takes(kLine, down, p)) continue;
      V o[kElements];
      Lines::outputTransposed(across, t[p], o);
#pragma GCC unroll 9
      for (int64_t q = 0; q < kElements; ++q) {
        if (takes(kLine, across, q)) storeWhole(to + (p * kElements + q) * stride, o[q]);
      }
    }
  }
}

template <class Lines>
void kernelOf(const float* w, int64_t positionStride, int64_t count, float* u, int64_t stride, bool rotated) {
  constexpr int kTaps = Lines::kTaps, kLine = lineOf(Lines::kForm).kernel;
  V t[kLine][kTaps];
#pragma GCC unroll 5
  for (int64_t q = 0; q < kTaps; ++q) {
    V line[kTaps], o[kLine];
#pragma GCC unroll 5
    for (int64_t p = 0; p < kTaps; ++p) {
      const int64_t position = rotated ? kTaps * kTaps - 1 - (p * kTaps + q) : p * kTaps + q;
      line[p] = load(w + position * positionStride, count);
    }
    Lines::kernel(line, o);
#pragma GCC unroll 8
    for (int64_t p = 0; p < kLine; ++p) t[p][q] = o[p];
  }
#pragma GCC unroll 8
  for (int64_t p = 0; p < kLine; ++p) {
    V o[kLine];
    Lines::kernel(t[p], o);
#pragma GCC unroll 8
    for (int64_t q = 0; q < kLine; ++q) storeWhole(u + (p * kLine + q) * stride, o[q]);
  }
}

template <class Lines>
void kernelTransposedOf(const float* u, int64_t stride, int64_t count, float* dw, int64_t positionStride) {
  constexpr int kTaps = Lines::kTaps, kLine = lineOf(Lines::kForm).kernel;
  V t[kTaps][kLine];
#pragma GCC unroll 8
  for (int64_t q = 0; q < kLine; ++q) {
    V line[kLine], o[kTaps];
#pragma GCC unroll 8
    for (int64_t p = 0; p < kLine; ++p) line[p] = loadWhole(u + (p * kLine + q) * stride);
    Lines::kernelTransposed(line, o);
#pragma GCC unroll 5
    for (int64_t p = 0; p < kTaps; ++p) t[p][q] = o[p];
  }
#pragma GCC unroll 5
  for (int64_t p = 0; p < kTaps; ++p) {
    V o[kTaps];
    Lines::kernelTransposed(t[p], o);
#pragma GCC unroll 5
    for (int64_t q = 0; q < kTaps; ++q) store(dw + (p * kTaps + q) * positionStride, o[q], count);
  }
}

template <class Lines, class T>
void input(const T* x, const Plane& plane, int64_t top, int64_t left, Points points, OddFirst odd, float* v,
           int64_t stride) {
  const auto run = whole(Lines::kForm, points) ? inputOf<Lines, true, T> : inputOf<Lines, false, T>;
  run(x, plane, top, left, points, odd, v, stride);
}
template <class Lines, class T>
void output(const float* m, int64_t stride, T* y, const Plane& plane, int64_t top, int64_t left, OddFirst odd,
            const Finish<T>& finish) {
  const Points points = pointsOf(Lines::kForm, plane, top, left);
  const auto run = whole(Lines::kForm, points) ? outputOf<Lines, true, T> : outputOf<Lines, false, T>;
  run(m, stride, y, plane, top, left, points, odd, finish);
}
template <class Lines, class T>
void outputTransposed(const T* y, const Plane& plane, int64_t top, int64_t left, float* v, int64_t stride,
                      int64_t panel) {
  const Points points = pointsOf(Lines::kForm, plane, top, left);
  const auto run =
      whole(Lines::kForm, points) ? outputTransposedOf<Lines, true, T> : outputTransposedOf<Lines, false, T>;
  run(y, plane, top, left, points, v, stride, panel);
}
template <class Lines>
void kernel(const float* w, int64_t positionStride, int64_t count, float* u, int64_t stride, bool rotated) {
  for (int64_t j = 0; j < kBlock; j += kLanes) {
    kernelOf<Lines>(w + j, positionStride, count - j, u + j, stride, rotated);
  }
}
template <class Lines>
void kernelTransposed(const float* u, int64_t stride, int64_t count, float* dw, int64_t positionStride) {
  for (int64_t j = 0; j < count; j += kLanes) {
    kernelTransposedOf<Lines>(u + j, stride, count - j, dw + j, positionStride);
  }
}

template <class Lines, class T>
constexpr ImageTransforms<T> kImageTransforms{input<Lines, T>, output<Lines, T>, outputTransposed<Lines, T>};
template <class T>
constexpr ImageTransforms<T> kImageTransforms<TransposedLines, T>{input<TransposedLines, T>, output<TransposedLines, T>,
                                                                  nullptr};
template <class Lines>
constexpr KernelTransforms kKernelTransforms{kernel<Lines>, kernelTransposed<Lines>};

template <class T>
const ImageTransforms<T>& imageTransformsOf(Form form) {
  switch (form) {
    case Form::kThreeTiny:
      return kImageTransforms<PlainLines<Form::kThreeTiny>, T>;
    case Form::kThreeLarge:
      return kImageTransforms<PlainLines<Form::kThreeLarge>, T>;
    case Form::kFive:
      return kImageTransforms<PlainLines<Form::kFive>, T>;
    case Form::kFiveLarge:
      return kImageTransforms<PlainLines<Form::kFiveLarge>, T>;
    case Form::kStrided:
      return kImageTransforms<StridedLines, T>;
    case Form::kTransposed:
      return kImageTransforms<TransposedLines, T>;
    default:
      return kImageTransforms<PlainLines<Form::kThree>, T>;
  }
}
const KernelTransforms& kernelTransformsOf(Form form) {
  switch (form) {
    case Form::kThreeTiny:
      return kKernelTransforms<PlainLines<Form::kThreeTiny>>;
    case Form::kThreeLarge:
      return kKernelTransforms<PlainLines<Form::kThreeLarge>>;
    case Form::kFive:
      return kKernelTransforms<PlainLines<Form::kFive>>;
    case Form::kFiveLarge:
      return kKernelTransforms<PlainLines<Form::kFiveLarge>>;
    case Form::kStrided:
    case Form::kTransposed:
      return kKernelTransforms<StridedLines>;
    default:
      return kKernelTransforms<PlainLines<Form::kThree>>;
  }
}
