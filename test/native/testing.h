#pragma once

#include <functional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

/**
 * @file
 * All the test framework there is: each file has a function that returns its tests; main.cc runs them.
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

std::vector<Test> cudaLoadingTests();
std::vector<Test> cudaMemoryTests();
std::vector<Test> engineTests();
std::vector<Test> kernelTests();
std::vector<Test> ledgerTests();
std::vector<Test> planTests();
std::vector<Test> validateTests();

}  // namespace fovea::test
