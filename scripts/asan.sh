#!/usr/bin/env bash
# Builds the native code and its C++ tests with AddressSanitizer and UndefinedBehaviorSanitizer, and runs them: those of
# the engine and the cpu kernels, and those of the cuda kernels' bodies, which run on the host and need no CUDA.
# The last line is `N passed, N failed`. An argument runs only the tests whose name contains it.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/asan
log="$build/build.log"
mkdir -p "$build"
# Not optimised: that would take longer than it saves the tests.
if ! { cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O0 \
  -DFOVEA_ADDON=OFF -DFOVEA_CUDA=OFF -DFOVEA_TESTS=ON -DFOVEA_SANITIZE=address,undefined -DFOVEA_PAIRED_VECTORS=ON &&
  cmake --build "$build" --parallel "$(nproc)"; } >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "0 passed, 1 failed"
  exit 1
fi

# Code that oneDNN generates at run time has no unwind information, which the slow unwinder of leaks would need.
export ASAN_OPTIONS="abort_on_error=0:halt_on_error=1:detect_stack_use_after_return=1:${ASAN_OPTIONS:-}"
export LSAN_OPTIONS="suppressions=test/native/lsan.supp:print_suppressions=0:${LSAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:${UBSAN_OPTIONS:-}"
passed=0
failed=0
# Prints what a program printed into a file and adds its count.
count() {
  cat "$1"
  if [[ "$(tail -n 1 "$1")" =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
  else
    echo "$(basename "$1" .log) did not come to its end"
    failed=$((failed + 1))
  fi
}
# A test runs on one core for the most part, so as many shares of a program run as there are cores.
shares=$(nproc)
for tests in fovea_native_tests fovea_cuda_kernels_test; do
  for ((share = 0; share < shares; share++)); do
    FOVEA_TEST_SHARE=$share/$shares "$build/bin/$tests" "$@" >"$build/$tests.$share.log" 2>&1 &
  done
  wait
  for ((share = 0; share < shares; share++)); do count "$build/$tests.$share.log"; done
done
# The vector code of convolutions in the forms that this processor would not choose too: AVX-512's, and none at all.
if [ $# -eq 0 ]; then
  for simd in avx512 avx2 none; do
    FOVEA_SIMD=$simd "$build/bin/fovea_native_tests" candidates >"$build/candidates-$simd.log" 2>&1 || true
    count "$build/candidates-$simd.log"
  done
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
