#include <cmath>

#include "cuda/epilogue.h"
#include "cuda/layout.h"
#include "cuda/reduce.h"
#include "native/cuda_kernels/host_kernels.h"

/** @file Parts that convolutions and products are made with. */
namespace fovea::test {
namespace {

const DType kFloats[] = {DType::kFloat32, DType::kBfloat16, DType::kFloat16};

std::shared_ptr<Memory> randomMemory(DType type, Dims dims, unsigned seed) {
  std::mt19937 random(seed);
  auto memory = std::make_shared<Memory>(TensorDesc{type, std::move(dims)});
  randomize(*memory, 100, random);
  return memory;
}

/** The numbers as `type` rounds them. */
std::vector<double> rounded(DType type, const std::vector<double>& values) {
  Memory memory({type, {static_cast<int64_t>(values.size())}});
  memory.fill(values);
  return memory.values();
}

void kernelLayouts() {
  for (const auto& [hwi, o] : {std::pair<int64_t, int64_t>{27, 64}, {9, 1}, {147, 70}, {1, 33}}) {
    for (DType from : kFloats) {
      for (DType to : kFloats) {
        const auto x = randomMemory(from, {hwi, o}, 1);
        const std::vector<double> xs = x->values();
        Memory y({to, {o, hwi}}), back({to, {hwi, o}});
        if (from != to && from != DType::kFloat32 && to != DType::kFloat32) {
          try {
            cuda::hwioToOhwi(hostCuda().context(), "conv2d", x->data(), from, y.data(), to, hwi, o);
            check(false, "expected an error");
          } catch (const Error& error) {
            check(error.code() == "ERR_UNSUPPORTED", error.what());
          }
          continue;
        }
        cuda::hwioToOhwi(hostCuda().context(), "conv2d", x->data(), from, y.data(), to, hwi, o);
        std::vector<double> expected(xs.size());
        for (int64_t i = 0; i < hwi; ++i) {
          for (int64_t k = 0; k < o; ++k) expected[k * hwi + i] = xs[i * o + k];
        }
        checkClose(y.values(), rounded(to, expected), 0, "ohwi");
        cuda::ohwiToHwio(hostCuda().context(), "conv2d", y.data(), to, back.data(), to, hwi, o);
        checkClose(back.values(), rounded(to, xs), 0, "hwio");
      }
    }
  }
  // A batch of matrices.
  const auto x = randomMemory(DType::kFloat32, {3, 40, 50}, 2);
  Memory y({DType::kBfloat16, {3, 50, 40}});
  cuda::transposeMatrices(hostCuda().context(), "test", x->data(), DType::kFloat32, y.data(), DType::kBfloat16, 3, 40,
                          50);
  for (int64_t b = 0; b < 3; ++b) {
    for (int64_t i = 0; i < 40; ++i) {
      for (int64_t j = 0; j < 50; ++j) {
        check(y.get((b * 50 + j) * 40 + i) == rounded(DType::kBfloat16, {x->get((b * 40 + i) * 50 + j)})[0], "batch");
      }
    }
  }
}

void conversions() {
  for (DType from : kFloats) {
    for (DType to : kFloats) {
      if (from != to && from != DType::kFloat32 && to != DType::kFloat32) continue;
      const auto x = randomMemory(from, {1003}, 3);
      Memory y({to, {1003}});
      cuda::convertElements(hostCuda().context(), "test", x->data(), from, y.data(), to, 1003);
      checkClose(y.values(), rounded(to, x->values()), 0, "converted");
    }
  }
}

/** What convolutions with padding that cuDNN has no plan for do: pad, and crop the gradient. */
void padAndCrop() {
  const Dims small = {2, 5, 6, 3}, large = {2, 8, 8, 3};
  for (DType type : kFloats) {
    const auto x = randomMemory(type, small, 4);
    Memory padded({type, large}), cropped({type, small});
    cuda::Padding(type, small, large, {0, 1, 2, 0}, 0).run(hostCuda().context(), "conv2d", x->data(), padded.data());
    for (int64_t b = 0; b < 2; ++b) {
      for (int64_t i = 0; i < 8; ++i) {
        for (int64_t j = 0; j < 8; ++j) {
          for (int64_t c = 0; c < 3; ++c) {
            const bool inside = i >= 1 && i < 6 && j >= 2;
            const double expected = inside ? x->get(((b * 5 + i - 1) * 6 + j - 2) * 3 + c) : 0;
            check(padded.get(((b * 8 + i) * 8 + j) * 3 + c) == expected, "padded");
          }
        }
      }
    }
    cuda::Box(small, large, {0, 1, 2, 0}, small, {0, 0, 0, 0}, bytesPerElement(type))
        .copy(hostCuda().context(), "conv2d", padded.data(), cropped.data());
    checkClose(cropped.values(), x->values(), 0, "cropped");
  }
}

void biases() {
  const int64_t rows = 300, channels = 37;
  cuda::Context& context = hostCuda().context();
  for (DType type : kFloats) {
    for (DType biasType : {type, DType::kFloat32}) {
      for (bool relu : {false, true}) {
        for (bool added : {false, true}) {
          const auto y = randomMemory(type, {rows, channels}, 5), bias = randomMemory(biasType, {channels}, 6),
                     residual = randomMemory(type, {rows, channels}, 7);
          std::vector<double> expected = y->values();
          for (int64_t i = 0; i < rows * channels; ++i) {
            const float more =
                static_cast<float>(bias->get(i % channels)) + (added ? static_cast<float>(residual->get(i)) : 0.0f);
            const float v = static_cast<float>(expected[i]) + more;
            expected[i] = relu && v <= 0 ? 0 : v;
          }
          cuda::finish(context, "conv2d", y->data(), type, rows, channels,
                       {bias->data(), biasType, added ? residual->data() : nullptr, relu});
          checkClose(y->values(), rounded(type, expected), 0, added ? "biased, with a residual" : "biased");
        }
      }
    }
    const auto y = randomMemory(type, {50}, 7);
    std::vector<double> expected = y->values();
    for (double& v : expected) v = std::max(v, 0.0);
    cuda::finish(context, "matmul", y->data(), type, 10, 5, {nullptr, type, nullptr, true});
    checkClose(y->values(), expected, 0, "without a bias");
  }
}

void biasGradients() {
  for (const auto& [rows, channels] : {std::pair<int64_t, int64_t>{5000, 33}, {7, 300}, {90'000, 3}, {1, 1}}) {
    for (DType from : kFloats) {
      for (DType to : {from, DType::kFloat32}) {
        const auto dy = randomMemory(from, {rows, channels}, 8);
        Memory db({to, {channels}});
        const cuda::Reduction sum = cuda::rowSum(from, rows, channels, to);
        std::vector<double> workspace(sum.workspaceBytes() / sizeof(double));
        sum.run(hostCuda().context(), "conv2d", dy->data(), db.data(), workspace.data());
        std::vector<double> expected(static_cast<size_t>(channels), 0);
        for (int64_t i = 0; i < rows * channels; ++i) expected[i % channels] += dy->get(i);
        const double tolerance = to == DType::kFloat32 ? 3e-6 : to == DType::kBfloat16 ? 0x1p-8 : 0x1p-11;
        checkClose(db.values(), expected, tolerance, "summed");
      }
    }
  }
}

void cpuFloat16() {
  const TensorDesc x{DType::kFloat16, {2, 4, 4, 3}}, y{DType::kFloat16, {2, 2, 2, 3}};
  const std::vector<double> two = {2, 2}, none = {0, 0, 0, 0};
  const KernelCase pool = {"maxPool2d", {{"poolSize", two}, {"strides", two}, {"padding", none}}, {x}, {y}};
  const Memories in = {randomMemory(DType::kFloat16, x.dims, 9)}, out = {std::make_shared<Memory>(y)};
  runOn(cpuBackend(), pool, in, out);
  std::vector<double> expected;
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t row = 0; row < 2; ++row)
      for (int64_t column = 0; column < 2; ++column)
        for (int64_t c = 0; c < 3; ++c) {
          double most = -INFINITY;
          for (int64_t k = 0; k < 4; ++k) {
            const int64_t at = ((n * 4 + 2 * row + k / 2) * 4 + 2 * column + k % 2) * 3 + c;
            most = std::max(most, in[0]->get(at));
          }
          expected.push_back(most);
        }
  checkClose(out[0]->values(), expected, 0, "pooled");
  const Memories copy = {std::make_shared<Memory>(x)};
  runOn(cpuBackend(), {"copy", {}, {x}, {x}}, in, copy);
  checkClose(copy[0]->values(), in[0]->values(), 0, "copied");
  const TensorDesc wide{DType::kFloat32, x.dims};
  const auto cast = [](const TensorDesc& from, const TensorDesc& to) {
    return KernelCase{"elementwise",
                      {{"compute", std::string("float")},
                       {"opcodes", std::vector<std::string>{}},
                       {"args", std::vector<double>{}},
                       {"params", std::vector<double>{}},
                       {"results", std::vector<double>{0}}},
                      {from},
                      {to}};
  };
  const Memories floats = {std::make_shared<Memory>(wide)}, back = {std::make_shared<Memory>(x)};
  runOn(cpuBackend(), cast(x, wide), in, floats);
  checkClose(floats[0]->values(), in[0]->values(), 0, "widened");
  runOn(cpuBackend(), cast(wide, x), floats, back);
  checkClose(back[0]->values(), in[0]->values(), 0, "rounded");
}

}  // namespace

std::vector<Test> partTests() {
  return {
      {"parts: kernels change between HWIO and OHWI", kernelLayouts},
      {"parts: conversions between floating-point types", conversions},
      {"parts: padding and cropping", padAndCrop},
      {"parts: bias and activation", biases},
      {"parts: gradient of a bias", biasGradients},
      {"parts: the cpu computes on, moves and casts float16", cpuFloat16},
  };
}

}  // namespace fovea::test
