#include "native/testing.h"

int main(int argc, char** argv) {
  using namespace fovea::test;
  return runTests({ledgerTests(), engineTests(), validateTests(), planTests(), cudaLoadingTests(), cudaMemoryTests(),
                   kernelTests(), convCandidateTests(), winogradTileTests(), pagePoolTests()},
                  argc, argv);
}
