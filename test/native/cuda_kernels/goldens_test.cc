#include <cmath>
#include <cstdio>

#include "native/cuda_kernels/host_kernels.h"

/**
 * @file
 * What cuDNN 9 printed on an RTX 3060 for the same inputs (pantheonsim, nvidia/tests/conformance/golden), reproduced by
 * the cpu backend and by the bodies of the cuda kernels. Sums of absolute values and of squares, to every printed digit
 * (the last may differ by one: sums were made in another order).
 */
namespace fovea::test {
namespace {

std::vector<double> wave(int64_t n, float scale, int64_t from = 0) {
  std::vector<double> v;
  for (int64_t i = from; i < from + n; ++i) {
    const float sine = std::sin(0.7f * static_cast<float>(i) + 0.3f);
    v.push_back(scale * sine + 0.1f * static_cast<float>(i % 5) - 0.2f);
  }
  return v;
}

/** [n,c,h,w] numbers in the order [n,h,w,c]. */
std::vector<double> toChannelsLast(const std::vector<double>& x, int64_t n, int64_t c, int64_t hw) {
  std::vector<double> y(x.size());
  for (int64_t b = 0; b < n; ++b) {
    for (int64_t k = 0; k < c; ++k) {
      for (int64_t i = 0; i < hw; ++i) y[(b * hw + i) * c + k] = x[(b * c + k) * hw + i];
    }
  }
  return y;
}

double absolutes(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += std::fabs(x);
  return sum;
}
double squares(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += x * x;
  return sum;
}

/** As "%.6e" prints them. */
void checkPrinted(double received, double expected, const std::string& what) {
  const double unit = std::pow(10.0, std::floor(std::log10(std::fabs(expected))) - 6);
  char text[64];
  std::snprintf(text, sizeof text, "%.6e, expected %.6e", received, expected);
  check(std::fabs(received - expected) < 1.5 * unit, what + ": " + text);
}

TensorDesc f32(Dims dims) { return {DType::kFloat32, std::move(dims)}; }

/** Runs one kernel on numbers and returns the outputs' numbers. */
std::vector<std::vector<double>> compute(Backend& backend, const KernelCase& c,
                                         const std::vector<std::vector<double>>& numbers) {
  Memories inputs, outputs;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    inputs.push_back(std::make_shared<Memory>(c.inputs[i]));
    inputs.back()->fill(numbers[i]);
  }
  for (const TensorDesc& t : c.outputs) outputs.push_back(std::make_shared<Memory>(t));
  runOn(backend, c, inputs, outputs);
  std::vector<std::vector<double>> results;
  for (const auto& o : outputs) results.push_back(o->values());
  return results;
}

const std::vector<double> kGamma = {0.75f, 0.85f, 0.95f, 1.05f};

void batchNorm(Backend& backend) {
  const TensorDesc x = f32({3, 5, 2, 4}), c = f32({4});
  const std::vector<double> xs = wave(120, 1.5f), dy = wave(120, 1.0f, 4);
  const auto y =
      compute(backend, {"batchNorm", {{"epsilon", 1e-5}, {"activation", std::string("linear")}}, {x, c, c}, {x, c, c}},
              {xs, kGamma, wave(4, 0.2f, 5)});
  checkPrinted(absolutes(y[0]), 9.886408e1, "y");
  checkPrinted(squares(y[0]), 1.053922e2, "y squared");
  const auto dx = compute(backend, {"batchNormBackward", {{"epsilon", 1e-5}}, {x, c, c, c, x}, {x, c, c}},
                          {xs, kGamma, y[1], y[2], dy});
  checkPrinted(absolutes(dx[0]), 2.378543e1, "dx");
  checkPrinted(squares(dx[0]), 6.877719, "dx squared");
}

KernelCase program(std::vector<std::string> opcodes, std::vector<double> args, double result, const TensorDesc& t) {
  const std::vector<double> params(2 * opcodes.size(), 0);
  return {"elementwise",
          {{"compute", std::string("float")},
           {"opcodes", std::move(opcodes)},
           {"args", std::move(args)},
           {"params", params},
           {"results", std::vector<double>{result}}},
          {t, t},
          {t}};
}

void batchNormAddRelu(Backend& backend) {
  const TensorDesc x = f32({18, 4}), c = f32({4});
  const std::vector<double> xs = wave(72, 1.5f), z = wave(72, 0.7f, 2), dy = wave(72, 1.0f, 4);
  const auto n =
      compute(backend, {"batchNorm", {{"epsilon", 1e-5}, {"activation", std::string("linear")}}, {x, c, c}, {x, c, c}},
              {xs, kGamma, wave(4, 0.2f, 5)});
  const auto y = compute(backend, program({"add", "relu"}, {0, 1, -1, 2, -1, -1}, 3, x), {n[0], z});
  checkPrinted(absolutes(y[0]), 2.873169e1, "y");
  const auto dz = compute(backend, program({"reluGrad"}, {0, 1, -1}, 2, x), {y[0], dy});
  checkPrinted(absolutes(dz[0]), 2.254282e1, "dz");
  const auto dx = compute(backend, {"batchNormBackward", {{"epsilon", 1e-5}}, {x, c, c, c, x}, {x, c, c}},
                          {xs, kGamma, n[1], n[2], dz[0]});
  checkPrinted(absolutes(dx[0]), 1.544792e1, "dx");
  // The mask of y in the kernel itself.
  const auto masked = compute(backend, {"batchNormBackward", {{"epsilon", 1e-5}}, {x, c, c, c, x, x}, {x, c, c}},
                              {xs, kGamma, n[1], n[2], dy, y[0]});
  checkPrinted(absolutes(masked[0]), 1.544792e1, "dx of a masked dy");
}

void lrn(Backend& backend) {
  // cuDNN divides alpha by the window's width, 5.
  const Attributes attributes = {{"depthRadius", 2.0}, {"bias", 1.5}, {"alpha", 0.3 / 5}, {"beta", 0.75}};
  const TensorDesc x = f32({2, 3, 2, 7});
  const std::vector<double> xs = toChannelsLast(wave(84, 1.5f), 2, 7, 6),
                            dy = toChannelsLast(wave(84, 1.0f, 6), 2, 7, 6);
  checkPrinted(absolutes(compute(backend, {"lrn", attributes, {x}, {x}}, {xs})[0]), 5.268518e1, "y");
  checkPrinted(absolutes(compute(backend, {"lrnBackward", attributes, {x, x}, {x}}, {xs, dy})[0]), 3.398783e1, "dx");
}

void convolution(Backend& backend) {
  const TensorDesc x = f32({2, 5, 6, 3}), kernel = f32({3, 3, 3, 4}), y = f32({2, 5, 6, 4});
  const std::vector<double> two = {1, 1}, xs = wave(180, 1.0f), w = wave(108, 0.5f, 3);
  std::vector<double> hwio(108);
  for (int64_t k = 0; k < 4; ++k) {
    for (int64_t i = 0; i < 27; ++i) hwio[i * 4 + k] = w[k * 27 + i];
  }
  Attributes attributes = {
      {"strides", two}, {"dilations", two}, {"padding", std::vector<double>{1, 1, 1, 1}}, {"groups", 1.0}};
  const auto dw = compute(backend, {"conv2dBackwardKernel", attributes, {x, y}, {kernel}}, {xs, wave(240, 0.8f, 7)});
  checkPrinted(absolutes(dw[0]), 8.881040e1, "dkernel");
  checkPrinted(squares(dw[0]), 1.030274e2, "dkernel squared");
  attributes["activation"] = std::string("linear");
  const auto ys = compute(backend, {"conv2d", attributes, {x, kernel}, {y}}, {xs, hwio});
  checkPrinted(absolutes(ys[0]), 8.141987e2, "y");
  checkPrinted(squares(ys[0]), 3.265672e3, "y squared");
}

}  // namespace

std::vector<Test> goldenTests() {
  std::vector<Test> tests;
  for (Backend* backend : {&cpuBackend(), static_cast<Backend*>(&hostCuda())}) {
    const std::string on = " on " + backend->info().name + " as an RTX 3060 printed it";
    tests.push_back({"golden: batchNorm" + on, [backend] { batchNorm(*backend); }});
    tests.push_back({"golden: batchNorm, add and relu" + on, [backend] { batchNormAddRelu(*backend); }});
    tests.push_back({"golden: lrn" + on, [backend] { lrn(*backend); }});
  }
  tests.push_back({"golden: conv2d on cpu as an RTX 3060 printed it", [] { convolution(cpuBackend()); }});
  return tests;
}

}  // namespace fovea::test
