#include <algorithm>
#include <cstring>
#include <memory>

#include "cpu/conv.h"
#include "cpu/depthwise_gradient.h"
#include "cpu/filters.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/parts.h"

/**
 * @file
 * Depthwise 3x3 convolutions of stride 1, by rows. By input they are the same convolution of the gradient, with the
 * filters turned around.
 */
namespace fovea::cpu {
namespace {

constexpr int64_t kRows = 2;  ///< Of outputs that give their gradients for some channels before those for the next.

/** The images that are read: of the gradient by input, the gradient of the outputs. */
struct Images {
  int64_t n, h, w, c, top, left;
};

Images imagesOf(const Conv& v) {
  if (v.kind == ConvKind::kBackwardInput) return {v.n, v.oh, v.ow, v.c, 2 - v.top, 2 - v.left};
  return {v.n, v.h, v.w, v.c, v.top, v.left};
}

/** Those that output row `r` of n * `height` reads. */
template <class T>
FilterRows<T> rowsOf(const Images& v, const T* x, int64_t r, int64_t height, const T* zeros, int64_t rowsAhead) {
  FilterRows<T> rows{{}, {}, v.w, v.c, v.left, rowsAhead * v.w * v.c};
  const T* image = x + r / height * v.h * v.w * v.c;
  for (int64_t i = 0; i < 3; ++i) {
    const int64_t y = r % height - v.top + i;
    const bool inside = y >= 0 && y < v.h;
    rows.at[i] = inside ? image + y * v.w * v.c : zeros;
    rows.step[i] = inside ? v.c : 0;
  }
  return rows;
}

void turnAround(const float* w, int64_t c, float* to) {
  for (int64_t t = 0; t < 9; ++t) std::memcpy(to + t * c, w + (8 - t) * c, c * sizeof(float));
}

template <class T>
std::shared_ptr<T[]> zerosFor(int64_t c) {
  return std::shared_ptr<T[]>(new T[c]());
}

template <class T>
KernelPtr filtered(const Conv& v, const FilterLoops<T>& loops) {
  const Images images = imagesOf(v);
  const bool byInput = v.kind == ConvKind::kBackwardInput;
  const int64_t height = byInput ? v.h : v.oh, width = byInput ? v.w : v.ow;
  Layout layout;
  const size_t turned = layout.take(byInput ? sizeof(float) * 9 * v.c : 0);
  const auto zeros = zerosFor<T>(v.c);
  return makeKernel(
      [=](const Pointers& p) {
        const T* x = in<T>(p, 0);
        const float* filters = in<float>(p, 1);
        if (byInput) {
          auto* to = at<float>(p.workspace, turned);
          turnAround(filters, v.c, to);
          filters = to;
        }
        const float* bias = v.bias ? in<float>(p, 2) : nullptr;
        const T* residual = v.residual ? in<T>(p, v.residualInput()) : nullptr;
        T* y = out<T>(p, 0);
        parallelFor(v.n * height, width * v.c * 9, [&](int64_t r) {
          const int64_t at = r * width * v.c;
          loops.filter(rowsOf(images, x, r, height, zeros.get(), 2),
                       {filters, bias, residual == nullptr ? nullptr : residual + at, y + at, width, v.relu});
        });
      },
      layout.bytes(), "own:filters");
}

template <class T>
KernelPtr gradient(const Conv& v, const FilterLoops<T>& loops) {
  return depthwiseGradient<T>(v, "own:filters",
                              [images = imagesOf(v), zeros = zerosFor<T>(v.c), loops, height = v.oh, width = v.ow](
                                  const T* x, const T* dy, int64_t begin, int64_t end, float* sums) {
                                FilterRows<T> read[kRows];
                                for (int64_t r = begin; r < end; r += kRows) {
                                  const int64_t count = std::min(kRows, end - r);
                                  for (int64_t i = 0; i < count; ++i) {
                                    read[i] = rowsOf(images, x, r + i, height, zeros.get(), kRows);
                                  }
                                  loops.gradient(read, dy + r * width * images.c, width, count, sums);
                                }
                              });
}

template <class T>
KernelPtr make(const Conv& v) {
  const FilterLoops<T>* loops = filterLoops<T>();
  if (loops == nullptr || v.c < loops->lanes) return nullptr;
  return v.kind == ConvKind::kBackwardKernel ? gradient<T>(v, *loops) : filtered<T>(v, *loops);
}

}  // namespace

KernelPtr makeFiltersConv(const Conv& v) {
  const bool fits = v.cg() == 1 && v.og() == 1 && v.kh == 3 && v.kw == 3 && v.sh == 1 && v.sw == 1 && v.dh == 1 &&
                    v.dw == 1 && std::max({v.top, v.left, v.bottom, v.right}) <= 2;
  if (!fits) return nullptr;
  return v.type == DType::kFloat32 ? make<float>(v) : make<BFloat16>(v);
}

}  // namespace fovea::cpu
