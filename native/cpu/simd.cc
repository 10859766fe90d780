#include "cpu/simd.h"

#include <cstdlib>
#include <string_view>

namespace fovea::cpu {

#if defined(__x86_64__) && defined(__GNUC__)

namespace {

/** FOVEA_SIMD=none|avx2|avx512 runs what a lesser processor would run: for tests and measurements. */
std::string_view asked() {
  const char* value = std::getenv("FOVEA_SIMD");
  return value == nullptr ? "" : value;
}

Simd best() {
  if (asked() == "none") return Simd::kNone;
  if (asked() != "avx2" && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
    return Simd::kAvx512;
  }
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? Simd::kAvx2 : Simd::kNone;
}

}  // namespace

Simd simd() {
  static const Simd chosen = best();
  return chosen;
}

bool wide() {
#ifdef FOVEA_PAIRED_VECTORS
  static const bool paired = asked() == "avx512";
  if (paired) return true;
#endif
  return simd() == Simd::kAvx512;
}

#else

Simd simd() { return Simd::kNone; }

bool wide() { return false; }

#endif

}  // namespace fovea::cpu
