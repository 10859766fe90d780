#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/check_operands.h"
#include "core/descriptors.h"

/** @file The four pooling kernels' operands, checked and taken apart. */
namespace fovea {

/** x [n,h,w,c] and y [n,oh,ow,c], windows of kh x kw, whichever of x and y is the output. */
struct Pool2dGeometry {
  int64_t n = 0, h = 0, w = 0, c = 0, oh = 0, ow = 0;
  int64_t kh = 1, kw = 1, sh = 1, sw = 1;
  int64_t top = 0, left = 0;
};

/** Throws ERR_ARGUMENT where x and y do not fit the window. */
inline Pool2dGeometry poolGeometry(const Check& check, const Pool2dDesc& d, const TensorDesc& x, const TensorDesc& y) {
  check.anyFloat(x, "x");
  check.type(y, "y", x.dtype);
  check.rank(x, "x", 4);
  check.rank(y, "y", 4);
  const Window& w = d.window;
  Pool2dGeometry g;
  g.n = x.dims[0], g.h = x.dims[1], g.w = x.dims[2], g.c = x.dims[3];
  g.oh = y.dims[1], g.ow = y.dims[2];
  g.kh = d.poolSize[0], g.kw = d.poolSize[1];
  g.sh = w.strides[0], g.sw = w.strides[1];
  g.top = w.padding[0], g.left = w.padding[2];
  check.that(g.kh > 0 && g.kw > 0 && g.sh > 0 && g.sw > 0, "positive pool size and strides",
             describe(Dims{g.kh, g.kw, g.sh, g.sw}));
  check.that(w.dilations[0] == 1 && w.dilations[1] == 1, "no dilations",
             describe(Dims{w.dilations[0], w.dilations[1]}));
  check.that(*std::min_element(w.padding.begin(), w.padding.end()) >= 0, "padding of 0 or more",
             describe(Dims(w.padding.begin(), w.padding.end())));
  const int64_t spanH = g.h + w.padding[0] + w.padding[1] - g.kh, spanW = g.w + w.padding[2] + w.padding[3] - g.kw;
  check.that(spanH >= 0 && spanW >= 0, "a window no larger than the padded input", describe(x));
  check.tensor(y, "y", x.dtype, {g.n, spanH / g.sh + 1, spanW / g.sw + 1, g.c});
  return g;
}

/** maxPool2d and avgPool2d. Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline Pool2dGeometry parsePool2d(const char* kernel, const Pool2dDesc& d) {
  const Check check(kernel, d);
  check.counts(1, 1);
  return poolGeometry(check, d, d.inputs[0], d.outputs[0]);
}

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline Pool2dGeometry parseMaxPool2dBackward(const Pool2dDesc& d) {
  const Check check("maxPool2dBackward", d);
  check.counts(3, 1);
  const TensorDesc &x = d.inputs[0], &y = d.inputs[1];
  const Pool2dGeometry g = poolGeometry(check, d, x, y);
  check.tensor(d.inputs[2], "dy", y.dtype, y.dims);
  check.tensor(d.outputs[0], "dx", x.dtype, x.dims);
  return g;
}

/** Throws ERR_ARGUMENT where the operands do not fit docs/kernels.md. */
inline Pool2dGeometry parseAvgPool2dBackward(const Pool2dDesc& d) {
  const Check check("avgPool2dBackward", d);
  check.counts(1, 1);
  return poolGeometry(check, d, d.outputs[0], d.inputs[0]);
}

}  // namespace fovea
