#include "cpu/simd.h"

namespace fovea::cpu {

#if defined(__x86_64__) && defined(__GNUC__)

Simd simd() {
  static const Simd best = [] {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq")) {
      return Simd::kAvx512;
    }
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? Simd::kAvx2 : Simd::kNone;
  }();
  return best;
}

#else

Simd simd() { return Simd::kNone; }

#endif

}  // namespace fovea::cpu
