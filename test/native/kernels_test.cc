#include <cstring>
#include <string>

#include "native/fixtures.h"
#include "native/kernel_cases.h"
#include "native/testing.h"
#include "plan/kernel_table.h"

/**
 * @file
 * Every kernel with random shapes. What they compute is compared with the reference in TypeScript; this is about
 * memory: every operand is an allocation of its own, so that AddressSanitizer sees each byte too far.
 */
namespace fovea::test {
namespace {

constexpr int kGoodCases = 40, kSpoiledCases = 25;

/** Random elements: floats around 0, int32 below the bound, bytes 0 or 1. */
std::shared_ptr<DeviceMemory> randomMemory(const TensorDesc& tensor, int64_t bound, std::mt19937& random) {
  std::vector<std::byte> data(tensor.bytes());
  for (int64_t i = 0; i < tensor.size(); ++i) {
    if (tensor.dtype == DType::kFloat32) {
      const float value = std::normal_distribution<float>()(random);
      std::memcpy(data.data() + 4 * i, &value, 4);
    } else if (tensor.dtype == DType::kInt32) {
      const int32_t value = static_cast<int32_t>(pick(random, 0, std::max<int64_t>(bound, 1) - 1));
      std::memcpy(data.data() + 4 * i, &value, 4);
    } else {
      data[i] = static_cast<std::byte>(pick(random, 0, 1));
    }
  }
  return std::make_shared<DeviceMemory>(cpu(), tensor.dtype, static_cast<size_t>(tensor.size()), data.data());
}

std::string describeCase(const KernelCase& c) {
  std::string text = c.kernel;
  for (const TensorDesc& t : c.inputs) text += " " + describe(t);
  text += " ->";
  for (const TensorDesc& t : c.outputs) text += " " + describe(t);
  return text;
}

void runCase(const KernelCase& c, std::mt19937& random) {
  const auto plan = prepare(singleStep(c.kernel, c.attributes, c.inputs, c.outputs));
  std::vector<std::shared_ptr<DeviceMemory>> buffers;
  for (const auto* list : {&c.inputs, &c.outputs}) {
    for (const TensorDesc& tensor : *list) buffers.push_back(randomMemory(tensor, c.indexBound, random));
  }
  run(plan, buffers);
  run(plan, buffers);
}

Test good(const std::string& kernel, unsigned seed) {
  return {"kernel: " + kernel + " with random shapes", [kernel, seed] {
            std::mt19937 random(seed);
            for (int i = 0; i < kGoodCases; ++i) {
              const KernelCase c = randomCase(kernel, random);
              try {
                runCase(c, random);
              } catch (const Error& error) {
                check(false, describeCase(c) + ": " + error.what());
              }
            }
          }};
}

/** An operand that no longer fits: refused, or run without harm. */
Test spoiled(const std::string& kernel, unsigned seed) {
  return {"kernel: " + kernel + " with operands that do not fit", [kernel, seed] {
            std::mt19937 random(seed);
            int refused = 0;
            for (int i = 0; i < kSpoiledCases; ++i) {
              const KernelCase c = spoiledCase(kernel, random);
              try {
                runCase(c, random);
              } catch (const Error& error) {
                ++refused;
                check(error.code() == "ERR_ARGUMENT" || error.code() == "ERR_EXECUTION" ||
                          error.code() == "ERR_UNSUPPORTED",
                      describeCase(c) + ": " + error.code() + " " + error.what());
              }
            }
            check(refused > 0 || kernel == "random", "nothing was refused");
          }};
}

/** Kernels whose floats are float32 only. */
bool isWide(const std::string& kernel) { return kernel == "random" || contains(kernel, "oftmax"); }

/**
 * Every kernel takes float16 where it takes bfloat16: all floats of a case, but the statistics of batch normalization.
 * What it computes is compared with the reference in TypeScript.
 */
void takesFloat16() {
  for (const std::string& kernel : kernelNames()) {
    std::mt19937 random(1);
    for (int i = 0; i < kGoodCases / 4; ++i) {
      KernelCase c = randomCase(kernel, random);
      for (auto* list : {&c.inputs, &c.outputs}) {
        for (TensorDesc& t : *list) {
          const bool statistics = contains(kernel, "batchNorm") && t.dims.size() == 1;
          if (t.dtype == DType::kFloat32 && !statistics) t.dtype = DType::kFloat16;
        }
      }
      try {
        runCase(c, random);
        check(!isWide(kernel), describeCase(c) + ": expected to be refused");
      } catch (const Error& error) {
        check(isWide(kernel) && error.code() == "ERR_ARGUMENT", describeCase(c) + ": " + error.what());
      }
    }
  }
}

}  // namespace

std::vector<Test> kernelTests() {
  std::vector<Test> tests = {{"kernels: the cpu takes float16 where it takes bfloat16", takesFloat16}};
  unsigned seed = 1;
  for (const std::string& kernel : kernelNames()) {
    tests.push_back(good(kernel, seed++));
    tests.push_back(spoiled(kernel, seed++));
  }
  return tests;
}

}  // namespace fovea::test
