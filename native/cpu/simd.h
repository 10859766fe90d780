#pragma once

#include <cstdint>

/**
 * @file
 * Run-time dispatch by instruction set. Code written with vectors is compiled by each_simd.h for AVX-512 and AVX2, and
 * `simd()` says which to call. For plain loops there is less to write: a function marked FOVEA_CLONES is compiled for
 * AVX-512, AVX2 and the baseline, and the loader picks one; what it calls must be FOVEA_INLINE to be compiled along
 * with it. OpenMP regions stay outside: GCC does not clone their bodies.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FOVEA_NO_CLONES  // The loader would run instrumented resolvers before the sanitizer is up.
#endif
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(FOVEA_NO_CLONES)
#define FOVEA_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOVEA_CLONES
#endif
#define FOVEA_INLINE inline __attribute__((always_inline))
#define FOVEA_FORCE __attribute__((always_inline))  // For lambdas.

namespace fovea::cpu {

inline constexpr int64_t kLineFloats = 16;  ///< Floats of a line of the cache.

enum class Simd : uint8_t { kNone, kAvx2, kAvx512 };

/** The widest vector instructions of this processor that own code is written for, no wider than FOVEA_SIMD says. */
Simd simd();

/** Whether each_simd.h's form of 16 lanes runs, not that of 8. */
bool wide();

}  // namespace fovea::cpu
