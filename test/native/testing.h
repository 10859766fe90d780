#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

/**
 * @file
 * All the test framework there is: each file has a function that returns its tests; a program's main runs them.
 */
namespace fovea::test {

struct Test {
  std::string name;
  std::function<void()> body;
};

/** Fails the test unless `ok`. */
inline void check(bool ok, const std::string& what = "",
                  const std::source_location& where = std::source_location::current()) {
  if (ok) return;
  throw std::logic_error(std::string(where.file_name()) + ":" + std::to_string(where.line()) + ": " +
                         (what.empty() ? "not so" : what));
}

/**
 * Runs all tests, or those whose name contains the first argument; prints `N passed, N failed`. With
 * FOVEA_TEST_SHARE=0/2 in the environment every second one of them, with 1/2 the others.
 *
 * @return the program's exit status
 */
inline int runTests(const std::vector<std::vector<Test>>& lists, int argc, char** argv) {
  int share = 0, shares = 1, index = 0;
  if (const char* text = std::getenv("FOVEA_TEST_SHARE")) {
    if (std::sscanf(text, "%d/%d", &share, &shares) != 2 || share < 0 || share >= shares) {
      std::printf("FOVEA_TEST_SHARE: expected a share like 0/2, received %s\n", text);
      return 2;
    }
  }
  int passed = 0, failed = 0;
  for (const std::vector<Test>& tests : lists) {
    for (const Test& test : tests) {
      if (argc > 1 && test.name.find(argv[1]) == std::string::npos) continue;
      if (index++ % shares != share) continue;
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

std::vector<Test> convCandidateTests();
std::vector<Test> winogradTileTests();
std::vector<Test> cudaLoadingTests();
std::vector<Test> cudaMemoryTests();
std::vector<Test> engineTests();
std::vector<Test> kernelTests();
std::vector<Test> ledgerTests();
std::vector<Test> pagePoolTests();
std::vector<Test> planTests();
std::vector<Test> validateTests();

}  // namespace fovea::test
