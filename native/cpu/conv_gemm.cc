#include <algorithm>
#include <cstring>

#include "cpu/conv.h"
#include "cpu/onednn.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"

/**
 * @file
 * Convolution as im2col and a matrix product per group, for what oneDNN has only reference code for (odd channel
 * counts, groups of few channels). Each thread unfolds and multiplies its own images; within the parallel region
 * dnnl_sgemm runs on one thread.
 */
namespace fovea::cpu {
namespace {

constexpr int64_t kColumnFloats = 1 << 17;  ///< Of one unfolded block: half a MiB.

struct Blocks {
  int64_t rows;   ///< Output rows of a block.
  int64_t count;  ///< Blocks of an image.
  int64_t k;      ///< Columns of the unfolded matrix, one group.
};

Blocks blocks(const Conv& v) {
  const int64_t k = v.kh * v.kw * v.cg();
  const int64_t rows = std::clamp<int64_t>(kColumnFloats / std::max<int64_t>(v.ow * k, 1), 1, v.oh);
  return {rows, (v.oh + rows - 1) / rows, k};
}

/** Whether x itself is the unfolded matrix. */
bool isMatrix(const Conv& v) { return v.pointwise() && v.groups == 1; }

/** Rows first..first+rows-1 of image n, group g, as [rows * ow, kh * kw * cg]. */
FOVEA_CLONES void unfold(const Conv& v, const float* x, int64_t n, int64_t g, int64_t first, int64_t rows, float* to) {
  const int64_t cg = v.cg();
  const float* image = x + n * v.h * v.w * v.c + g * cg;
  for (int64_t oy = first; oy < first + rows; ++oy) {
    for (int64_t ox = 0; ox < v.ow; ++ox) {
      for (int64_t ky = 0; ky < v.kh; ++ky) {
        const int64_t iy = oy * v.sh - v.top + ky * v.dh;
        for (int64_t kx = 0; kx < v.kw; ++kx, to += cg) {
          const int64_t ix = ox * v.sw - v.left + kx * v.dw;
          if (iy < 0 || iy >= v.h || ix < 0 || ix >= v.w) {
            for (int64_t j = 0; j < cg; ++j) to[j] = 0;
          } else {
            const float* from = image + (iy * v.w + ix) * v.c;
            for (int64_t j = 0; j < cg; ++j) to[j] = from[j];
          }
        }
      }
    }
  }
}

/** The transpose of unfold: adds into x. */
FOVEA_CLONES void fold(const Conv& v, float* x, int64_t n, int64_t g, int64_t first, int64_t rows, const float* from) {
  const int64_t cg = v.cg();
  float* image = x + n * v.h * v.w * v.c + g * cg;
  for (int64_t oy = first; oy < first + rows; ++oy) {
    for (int64_t ox = 0; ox < v.ow; ++ox) {
      for (int64_t ky = 0; ky < v.kh; ++ky) {
        const int64_t iy = oy * v.sh - v.top + ky * v.dh;
        for (int64_t kx = 0; kx < v.kw; ++kx, from += cg) {
          const int64_t ix = ox * v.sw - v.left + kx * v.dw;
          if (iy < 0 || iy >= v.h || ix < 0 || ix >= v.w) continue;
          float* to = image + (iy * v.w + ix) * v.c;
          for (int64_t j = 0; j < cg; ++j) to[j] += from[j];
        }
      }
    }
  }
}

void gemm(bool transposeA, bool transposeB, int64_t m, int64_t n, int64_t k, const float* a, int64_t lda,
          const float* b, int64_t ldb, float beta, float* c, int64_t ldc) {
  if (dnnl_sgemm(transposeA ? 'T' : 'N', transposeB ? 'T' : 'N', m, n, k, 1.0f, a, lda, b, ldb, beta, c, ldc) !=
      dnnl_success) {
    std::abort();  // Only for arguments that cannot occur here; an exception may not leave the parallel region.
  }
}

KernelPtr forward(const Conv& v, const Blocks& b) {
  const size_t perThread = align64(sizeof(float) * b.rows * v.ow * b.k);
  return makeKernel(
      [=](const Pointers& p) {
        const float *x = in<float>(p, 0), *w = in<float>(p, 1), *bias = v.bias ? in<float>(p, 2) : nullptr;
        const float* residual = v.residual ? in<float>(p, v.residualInput()) : nullptr;
        float* y = out<float>(p, 0);
        parallelRanges(v.n * b.count, b.rows * v.ow * b.k * v.o, [&](int64_t begin, int64_t end, int thread) {
          float* column = at<float>(p.workspace, perThread * thread);
          for (int64_t t = begin; t < end; ++t) {
            const int64_t n = t / b.count, first = t % b.count * b.rows, rows = std::min(b.rows, v.oh - first);
            const int64_t offset = (n * v.oh + first) * v.ow * v.o;
            float* to = y + offset;
            for (int64_t g = 0; g < v.groups; ++g) {
              const float* a = isMatrix(v) ? x + (n * v.oh + first) * v.ow * v.c : column;
              if (a == column) unfold(v, x, n, g, first, rows, column);
              gemm(false, false, rows * v.ow, v.og(), b.k, a, b.k, w + g * v.og(), v.o, 0, to + g * v.og(), v.o);
            }
            finishRows(to, rows * v.ow, v.o, bias, residual == nullptr ? nullptr : residual + offset, v.relu);
          }
        });
      },
      perThread * maxThreads(), "own:im2col");
}

KernelPtr backwardInput(const Conv& v, const Blocks& b) {
  const size_t perThread = align64(sizeof(float) * b.rows * v.ow * b.k);
  return makeKernel(
      [=](const Pointers& p) {
        const float *dy = in<float>(p, 0), *w = in<float>(p, 1);
        float* dx = out<float>(p, 0);
        if (isMatrix(v)) {
          // Blocks of rows, each with every channel.
          const int64_t rows = v.n * v.h * v.w, block = std::max<int64_t>(kColumnFloats / v.c, 16);
          parallelFor((rows + block - 1) / block, block * v.c * v.o, [&](int64_t i) {
            const int64_t first = i * block;
            gemm(false, true, std::min(block, rows - first), v.c, v.o, dy + first * v.o, v.o, w, v.o, 0,
                 dx + first * v.c, v.c);
          });
          return;
        }
        parallelFor(v.n * v.h * v.w, v.c, [&](int64_t i) { std::memset(dx + i * v.c, 0, v.c * sizeof(float)); });
        parallelRanges(v.n * v.groups, v.oh * v.ow * b.k * v.og(), [&](int64_t begin, int64_t end, int thread) {
          float* column = at<float>(p.workspace, perThread * thread);
          for (int64_t t = begin; t < end; ++t) {
            const int64_t n = t / v.groups, g = t % v.groups;
            for (int64_t first = 0; first < v.oh; first += b.rows) {
              const int64_t rows = std::min(b.rows, v.oh - first);
              const float* from = dy + (n * v.oh + first) * v.ow * v.o + g * v.og();
              gemm(false, true, rows * v.ow, b.k, v.og(), from, v.o, w + g * v.og(), v.o, 0, column, b.k);
              fold(v, dx, n, g, first, rows, column);
            }
          }
        });
      },
      perThread * maxThreads(), "own:im2col");
}

KernelPtr backwardKernel(const Conv& v, const Blocks& b) {
  Layout layout;
  const size_t perThread = align64(sizeof(float) * b.rows * v.ow * b.k);
  const size_t columns = layout.take(perThread * maxThreads());
  const size_t kernelBytes = align64(sizeof(float) * b.k * v.o), sums = layout.take(kernelBytes * maxThreads());
  const size_t bias = layout.take(v.bias ? biasScratch(v.o) : 0);
  return makeKernel(
      [=](const Pointers& p) {
        const float *x = in<float>(p, 0), *dy = in<float>(p, 1);
        const int64_t work = b.rows * v.ow * b.k * v.o, size = b.k * v.o;
        const int threads = threadsFor(v.n * b.count, work);
        parallelParts(v.n * b.count, work, [&](int64_t begin, int64_t end, int thread) {
          float* column = at<float>(p.workspace, columns + perThread * thread);
          float* sum = at<float>(p.workspace, sums + kernelBytes * thread);
          for (int64_t t = begin; t < end; ++t) {
            const int64_t n = t / b.count, first = t % b.count * b.rows, rows = std::min(b.rows, v.oh - first);
            const float* from = dy + (n * v.oh + first) * v.ow * v.o;
            for (int64_t g = 0; g < v.groups; ++g) {
              const float* a = isMatrix(v) ? x + (n * v.oh + first) * v.ow * v.c : column;
              if (a == column) unfold(v, x, n, g, first, rows, column);
              gemm(true, false, b.k, v.og(), rows * v.ow, a, b.k, from + g * v.og(), v.o, t > begin ? 1.0f : 0.0f,
                   sum + g * v.og(), v.o);
            }
          }
        });
        float* dw = out<float>(p, 0);
        parallelRanges(size, threads, [&](int64_t begin, int64_t end, int) {
          for (int64_t i = begin; i < end; ++i) {
            float total = at<float>(p.workspace, sums)[i];
            for (int t = 1; t < threads; ++t) total += at<float>(p.workspace, sums + kernelBytes * t)[i];
            dw[i] = total;
          }
        });
        if (v.bias) sumBias(dy, v.n * v.oh * v.ow, v.o, out<float>(p, 1), at<char>(p.workspace, bias));
      },
      layout.bytes(), "own:im2col");
}

}  // namespace

KernelPtr makeGemmConv(const Conv& v) {
  const Blocks b = blocks(v);
  switch (v.kind) {
    case ConvKind::kForward:
      return forward(v, b);
    case ConvKind::kBackwardInput:
      return backwardInput(v, b);
    default:
      return backwardKernel(v, b);
  }
}

}  // namespace fovea::cpu
