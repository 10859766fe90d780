// No #pragma once: compiles the file that FOVEA_BODY names once for each instruction set, in the namespaces avx512 and
// avx2 of the one around it, where `kLanes` is the number of floats of a vector. The body includes nothing.

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4")
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
