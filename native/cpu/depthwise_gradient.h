#pragma once

#include <cstring>

#include "cpu/conv.h"
#include "cpu/parallel.h"

namespace fovea::cpu {

/**
 * The gradient of a depthwise kernel [kh,kw,c] and of the bias where there is one: every thread has `add(x, dy, begin,
 * end, sums)` add what its part of the n * oh rows of outputs gives to sums of its own. T is the type of the images.
 */
template <class T, class Add>
KernelPtr depthwiseGradient(const Conv& v, const char* name, const Add& add) {
  Layout layout;
  const int64_t size = v.kh * v.kw * v.c, rows = v.n * v.oh;
  const size_t perThread = align64(sizeof(float) * size), sums = layout.take(perThread * maxThreads());
  const size_t bias = layout.take(v.bias ? biasScratch(v.o) : 0);
  return makeKernel(
      [=](const Pointers& p) {
        const T *x = in<T>(p, 0), *dy = in<T>(p, 1);
        const int64_t work = v.ow * size;
        parallelParts(rows, work, [&](int64_t begin, int64_t end, int thread) {
          float* sum = at<float>(p.workspace, sums + perThread * thread);
          std::memset(sum, 0, size * sizeof(float));
          add(x, dy, begin, end, sum);
        });
        float* dw = out<float>(p, 0);
        const int threads = threadsFor(rows, work);
        for (int64_t i = 0; i < size; ++i) {
          float total = at<float>(p.workspace, sums)[i];
          for (int t = 1; t < threads; ++t) total += at<float>(p.workspace, sums + perThread * t)[i];
          dw[i] = total;
        }
        if (v.bias) sumBias(dy, rows * v.ow, v.o, out<float>(p, 1), at<char>(p.workspace, bias));
      },
      layout.bytes(), name);
}

}  // namespace fovea::cpu
