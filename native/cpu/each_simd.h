// No #pragma once: compiles the file that FOVEA_BODY names once for each instruction set, in the namespaces avx512 and
// avx2 of the one around it, where `kLanes` is the number of floats of a vector. The body includes nothing but
// other such bodies.
// FOVEA_PAIRED_VECTORS compiles the wide form for AVX2 as well, each vector a pair: a build for tests, in which any
// processor runs that form with FOVEA_SIMD=avx512.

#pragma GCC push_options
#ifdef FOVEA_PAIRED_VECTORS
#pragma GCC target("arch=x86-64-v3")
#else
#pragma GCC target("arch=x86-64-v4")
#endif
namespace avx512 {
namespace {
constexpr int64_t kLanes = 16;
#include FOVEA_BODY
}  // namespace
}  // namespace avx512
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
namespace avx2 {
namespace {
constexpr int64_t kLanes = 8;
#include FOVEA_BODY
}  // namespace
}  // namespace avx2
#pragma GCC pop_options

#undef FOVEA_BODY
