#include "native/cuda_kernels/host_kernels.h"

int main(int argc, char** argv) {
  using namespace fovea::test;
  return runTests({float16Tests(), goldenTests(), partTests(), chosenKernelTests(), randomKernelTests()}, argc, argv);
}
