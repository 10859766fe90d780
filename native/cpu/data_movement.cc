#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "core/data_movement_geometry.h"
#include "core/float16.h"
#include "cpu/backend.h"
#include "cpu/kernel_base.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"

/** @file Kernels that only move elements: concat, slice, pad, transpose, copy; any dtype, by element size. */
namespace fovea::cpu {
namespace {

constexpr int64_t kPerWork = 8;  ///< Bytes moved for the price of one operation, roughly.

/** Copies a box of rows: position i of `dims` lies at from + sum(i from.strides), bytes everywhere. */
struct BoxCopy {
  Dims dims, from, to;  ///< Outer dims and their strides in bytes.
  int64_t run = 0;      ///< Contiguous bytes at each position.
  int64_t fromOffset = 0, toOffset = 0;

  void operator()(const void* x, void* y) const {
    const int64_t count = product(dims);
    parallelRanges(count, std::max<int64_t>(run / kPerWork, 1), [&](int64_t begin, int64_t end, int) {
      std::array<int64_t, 16> index{};
      int64_t a = fromOffset, b = toOffset, rest = begin;
      for (size_t d = dims.size(); d-- > 0;) {
        index[d] = rest % dims[d];
        rest /= dims[d];
        a += index[d] * from[d];
        b += index[d] * to[d];
      }
      for (int64_t i = begin; i < end; ++i) {
        std::memcpy(static_cast<char*>(y) + b, static_cast<const char*>(x) + a, run);
        for (size_t d = dims.size(); d-- > 0;) {
          a += from[d];
          b += to[d];
          if (++index[d] < dims[d]) break;
          a -= dims[d] * from[d];
          b -= dims[d] * to[d];
          index[d] = 0;
        }
      }
    });
  }
};

/** Box `size` at `fromBegin` of an array of shape `fromDims` to `toBegin` of one of shape `toDims`. */
BoxCopy boxCopy(const Dims& size, const Dims& fromDims, const Dims& fromBegin, const Dims& toDims, const Dims& toBegin,
                int64_t element) {
  BoxCopy box;
  box.run = element;
  int64_t a = element, b = element;
  bool contiguous = true;
  for (size_t i = size.size(); i-- > 0;) {
    box.fromOffset += fromBegin[i] * a;
    box.toOffset += toBegin[i] * b;
    if (contiguous) {
      box.run *= size[i];
    } else {
      box.dims.insert(box.dims.begin(), size[i]);
      box.from.insert(box.from.begin(), a);
      box.to.insert(box.to.begin(), b);
    }
    // Whole in both arrays: the next dimension goes on without a gap.
    contiguous = contiguous && size[i] == fromDims[i] && size[i] == toDims[i];
    a *= fromDims[i];
    b *= toDims[i];
  }
  return box;
}

void parallelCopy(const void* x, void* y, int64_t bytes) {
  constexpr int64_t kUnit = 1 << 12;
  parallelRanges((bytes + kUnit - 1) / kUnit, kUnit / kPerWork, [&](int64_t begin, int64_t end, int) {
    const int64_t from = begin * kUnit, to = std::min(end * kUnit, bytes);
    std::memcpy(static_cast<char*>(y) + from, static_cast<const char*>(x) + from, to - from);
  });
}

/** y[i][j] = x[j][i] over strided planes; tiles keep both sides within a few cache lines. */
template <class T>
FOVEA_INLINE void transposeTile(const T* x, T* y, int64_t rows, int64_t columns, int64_t xStride, int64_t yStride) {
  constexpr int64_t kTile = 16;
  for (int64_t i = 0; i < rows; i += kTile) {
    const int64_t iEnd = std::min(i + kTile, rows);
    for (int64_t j = 0; j < columns; j += kTile) {
      const int64_t jEnd = std::min(j + kTile, columns);
      for (int64_t a = i; a < iEnd; ++a) {
        for (int64_t b = j; b < jEnd; ++b) y[a * yStride + b] = x[b * xStride + a];
      }
    }
  }
}

struct Transpose {
  Dims dims, strides;  ///< y's merged dims and x's strides along them, in elements.
  int64_t element = 4;
};

Transpose mergeTranspose(const Dims& x, const std::vector<int64_t>& perm, int64_t element) {
  Dims xStrides(x.size(), 1);
  for (size_t i = x.size(); i-- > 1;) xStrides[i - 1] = xStrides[i] * x[i];
  Transpose t;
  t.element = element;
  for (size_t i = 0; i < perm.size(); ++i) {
    const int64_t d = x[perm[i]], s = xStrides[perm[i]];
    if (d == 1) continue;
    if (!t.dims.empty() && t.strides.back() == s * d) {
      t.dims.back() *= d;
      t.strides.back() = s;
    } else {
      t.dims.push_back(d);
      t.strides.push_back(s);
    }
  }
  return t;
}

template <class T>
void runTranspose(const Transpose& t, const T* x, T* y) {
  const size_t rank = t.dims.size();
  // x's contiguous axis is y's axis `c`, y's is the last; they differ (else it would be a BoxCopy).
  size_t c = 0;
  while (t.strides[c] != 1) ++c;
  Dims outer, from, to;
  int64_t yStride = 1, planeStride = 1;
  for (size_t i = rank; i-- > 0;) {
    if (i == c) planeStride = yStride;
    if (i != c && i != rank - 1) {
      outer.push_back(t.dims[i]);
      from.push_back(t.strides[i]);
      to.push_back(yStride);
    }
    yStride *= t.dims[i];
  }
  const int64_t rows = t.dims[c], columns = t.dims[rank - 1], xStride = t.strides[rank - 1];
  constexpr int64_t kRows = 64;
  const int64_t parts = (rows + kRows - 1) / kRows;
  parallelFor(product(outer) * parts, kRows * columns, [&](int64_t task) {
    const int64_t part = task % parts, first = part * kRows;
    int64_t rest = task / parts, a = first, b = first * planeStride;
    for (size_t i = 0; i < outer.size(); ++i) {
      a += rest % outer[i] * from[i];
      b += rest % outer[i] * to[i];
      rest /= outer[i];
    }
    transposeTile(x + a, y + b, std::min(kRows, rows - first), columns, xStride, planeStride);
  });
}

}  // namespace

KernelPtr CpuBackend::prepareConcat(const AxisDesc& d) {
  const std::vector<int64_t> begins = parseConcat(d);
  const TensorDesc& y = d.outputs[0];
  std::vector<BoxCopy> boxes;
  Dims at(y.dims.size(), 0);
  const Dims zeros = at;
  for (size_t i = 0; i < begins.size(); ++i) {
    const TensorDesc& x = d.inputs[i];
    at[d.axis] = begins[i];
    boxes.push_back(boxCopy(x.dims, x.dims, zeros, y.dims, at, static_cast<int64_t>(bytesPerElement(y.dtype))));
  }
  return makeKernel([boxes = std::move(boxes)](const Pointers& p) {
    for (size_t i = 0; i < boxes.size(); ++i) boxes[i](p.inputs[i], p.outputs[0]);
  });
}

KernelPtr CpuBackend::prepareSlice(const SliceDesc& d) {
  checkSlice(d);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  const auto box =
      boxCopy(y.dims, x.dims, d.begin, y.dims, Dims(y.dims.size(), 0), static_cast<int64_t>(bytesPerElement(x.dtype)));
  return makeKernel([box](const Pointers& p) { box(p.inputs[0], p.outputs[0]); });
}

KernelPtr CpuBackend::preparePad(const PadDesc& d) {
  checkPad(d);
  const TensorDesc &x = d.inputs[0], &y = d.outputs[0];
  const auto box =
      boxCopy(x.dims, x.dims, Dims(x.dims.size(), 0), y.dims, d.before, static_cast<int64_t>(bytesPerElement(x.dtype)));
  const int64_t n = y.size();
  const double value = d.value;
  const DType dtype = x.dtype;
  return makeKernel([=](const Pointers& p) {
    parallelRanges(n, 1, [&](int64_t begin, int64_t end, int) {
      switch (dtype) {
        case DType::kFloat32:
          return static_cast<void>(std::fill_n(out<float>(p, 0) + begin, end - begin, static_cast<float>(value)));
        case DType::kInt32:
          return static_cast<void>(std::fill_n(out<int32_t>(p, 0) + begin, end - begin, static_cast<int32_t>(value)));
        case DType::kUint8:
          return static_cast<void>(std::memset(out<uint8_t>(p, 0) + begin, static_cast<int>(value), end - begin));
        case DType::kBool:
          return static_cast<void>(std::memset(out<uint8_t>(p, 0) + begin, value != 0, end - begin));
        case DType::kBfloat16:
          return static_cast<void>(
              std::fill_n(out<BFloat16>(p, 0) + begin, end - begin, toBFloat16(static_cast<float>(value))));
        case DType::kFloat16:
          return static_cast<void>(
              std::fill_n(out<Float16>(p, 0) + begin, end - begin, toFloat16(static_cast<float>(value))));
      }
    });
    box(p.inputs[0], p.outputs[0]);
  });
}

KernelPtr CpuBackend::prepareTranspose(const TransposeDesc& d) {
  checkTranspose(d);
  const TensorDesc& x = d.inputs[0];
  const auto element = static_cast<int64_t>(bytesPerElement(x.dtype));
  const Transpose t = mergeTranspose(x.dims, d.perm, element);
  const auto bytes = static_cast<int64_t>(x.bytes());
  if (bytes == 0) return makeKernel([](const Pointers&) {});
  if (t.dims.size() <= 1)
    return makeKernel([bytes](const Pointers& p) { parallelCopy(p.inputs[0], p.outputs[0], bytes); });
  if (t.strides.back() == 1) {
    BoxCopy box;
    box.run = t.dims.back() * element;
    int64_t to = box.run;
    for (size_t i = t.dims.size() - 1; i-- > 0;) {
      box.dims.insert(box.dims.begin(), t.dims[i]);
      box.from.insert(box.from.begin(), t.strides[i] * element);
      box.to.insert(box.to.begin(), to);
      to *= t.dims[i];
    }
    return makeKernel([box](const Pointers& p) { box(p.inputs[0], p.outputs[0]); });
  }
  return makeKernel([t](const Pointers& p) {
    if (t.element == 4) {
      runTranspose(t, in<uint32_t>(p, 0), out<uint32_t>(p, 0));
    } else if (t.element == 2) {
      runTranspose(t, in<uint16_t>(p, 0), out<uint16_t>(p, 0));
    } else {
      runTranspose(t, in<uint8_t>(p, 0), out<uint8_t>(p, 0));
    }
  });
}

KernelPtr CpuBackend::prepareCopy(const PlainDesc& d) {
  checkCopy(d);
  const TensorDesc& x = d.inputs[0];
  const auto bytes = static_cast<int64_t>(x.bytes());
  return makeKernel([bytes](const Pointers& p) {
    if (p.inputs[0] != p.outputs[0]) parallelCopy(p.inputs[0], p.outputs[0], bytes);
  });
}

}  // namespace fovea::cpu
