#pragma once

#include <library_types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/bfloat16.h"
#include "emulator/half.h"

namespace fovea::emulator {

inline size_t bytesOf(cudaDataType type) {
  return type == CUDA_R_32F ? 4 : type == CUDA_R_16F || type == CUDA_R_16BF ? 2 : 0;
}

inline float load(const void* data, size_t i, cudaDataType type) {
  if (type == CUDA_R_32F) return static_cast<const float*>(data)[i];
  const uint16_t bits = static_cast<const uint16_t*>(data)[i];
  return type == CUDA_R_16F ? halfToFloat(bits) : toFloat(BFloat16{bits});
}

inline void store(void* data, size_t i, cudaDataType type, float value) {
  if (type == CUDA_R_32F) {
    static_cast<float*>(data)[i] = value;
  } else {
    static_cast<uint16_t*>(data)[i] = type == CUDA_R_16F ? floatToHalf(value) : toBFloat16(value).bits;
  }
}

/** One column-major matrix in device memory. */
struct Matrix {
  const void* data;
  cudaDataType type;
  int64_t ld;
  bool transposed = false;

  float at(int64_t row, int64_t column) const {
    return load(data, static_cast<size_t>(transposed ? column + row * ld : row + column * ld), type);
  }
};

/** alpha · A · B as floats, [m,n] column-major without gaps; sums in double, rounded once. */
inline std::vector<float> product(int64_t m, int64_t n, int64_t k, float alpha, const Matrix& a, const Matrix& b) {
  std::vector<float> left(static_cast<size_t>(m * k)), right(static_cast<size_t>(k * n)),
      out(static_cast<size_t>(m * n));
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t i = 0; i < m; ++i) left[static_cast<size_t>(i * k + p)] = a.at(i, p);
    for (int64_t j = 0; j < n; ++j) right[static_cast<size_t>(j * k + p)] = b.at(p, j);
  }
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = 0; i < m; ++i) {
      const float *x = left.data() + i * k, *y = right.data() + j * k;
      double sum = 0;
      for (int64_t p = 0; p < k; ++p) sum += static_cast<double>(x[p]) * y[p];
      out[static_cast<size_t>(i + j * m)] = static_cast<float>(alpha * sum);
    }
  }
  return out;
}

/** The bytes from a matrix's start to its last element. */
inline size_t spanOf(int64_t rows, int64_t columns, int64_t ld, cudaDataType type) {
  return rows == 0 || columns == 0 ? 0 : static_cast<size_t>((columns - 1) * ld + rows) * bytesOf(type);
}

}  // namespace fovea::emulator
