#pragma once

#include <memory>
#include <random>
#include <vector>

#include "core/backend.h"
#include "cuda/backend.h"
#include "native/kernel_cases.h"
#include "native/testing.h"

/** @file Runs kernels of the cuda backend, on the host, and of the cpu backend on the same numbers. */
namespace fovea::test {

/** One for all tests. */
Backend& cpuBackend();
cuda::CudaBackend& hostCuda();

/** An operand's memory: exactly as large as its elements, so that AddressSanitizer sees each byte too far. */
class Memory {
 public:
  /** `shift` elements off the 64-byte alignment that storages have. */
  explicit Memory(TensorDesc tensor, size_t shift = 0);

  const TensorDesc& tensor() const { return tensor_; }
  void* data() const { return data_; }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  /** Element i as a number; `set` converts as the kernels do. */
  double get(int64_t i) const;
  void set(int64_t i, double value);
  std::vector<double> values() const;
  void fill(const std::vector<double>& values);

 private:
  struct Free {
    void operator()(void* p) const;
  };
  TensorDesc tensor_;
  std::unique_ptr<void, Free> block_;
  void* data_;
};

using Memories = std::vector<std::shared_ptr<Memory>>;

/** Floats around 0, int32 below the bound, bytes 0 or 1. */
void randomize(Memory& memory, int64_t bound, std::mt19937& random);

/** Prepares the case on `backend`, runs it twice (outputs are written anew) and synchronizes. */
void runOn(Backend& backend, const KernelCase& c, const Memories& inputs, const Memories& outputs);

/** The case with `to` in place of float32, where the kernel takes it; see docs/kernels.md on what stays float32. */
KernelCase withFloats(const KernelCase& c, DType to);

std::string describe(const KernelCase& c);

/** Fails unless `received` is within `tolerance` of `expected`, relative to the larger of 1 and its size. */
void checkClose(const std::vector<double>& received, const std::vector<double>& expected, double tolerance,
                const std::string& what);

std::vector<Test> randomKernelTests();
std::vector<Test> chosenKernelTests();
std::vector<Test> float16Tests();
std::vector<Test> goldenTests();
std::vector<Test> partTests();

}  // namespace fovea::test
