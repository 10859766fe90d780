#include <cstdio>
#include <exception>

#include "native/cuda_kernels/host_kernels.h"

/** Runs all tests, or those whose name contains the first argument; prints `N passed, N failed`. */
int main(int argc, char** argv) {
  using namespace fovea::test;
  int passed = 0, failed = 0;
  for (const auto& tests : {float16Tests(), goldenTests(), partTests(), chosenKernelTests(), randomKernelTests()}) {
    for (const Test& test : tests) {
      if (argc > 1 && test.name.find(argv[1]) == std::string::npos) continue;
      try {
        test.body();
        ++passed;
      } catch (const std::exception& error) {
        ++failed;
        std::printf("FAILED %s: %s\n", test.name.c_str(), error.what());
      }
    }
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
