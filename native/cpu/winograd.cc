#include "cpu/winograd.h"

#include <cstdlib>
#include <cstring>

#include "cpu/gemm_tile.h"
#include "cpu/simd.h"

#if defined(__x86_64__) && defined(__GNUC__)

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4")
namespace fovea::cpu::winograd::avx512 {
namespace {
constexpr int64_t kLanes = 16;
#include "cpu/winograd_body.h"
}  // namespace
}  // namespace fovea::cpu::winograd::avx512
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
namespace fovea::cpu::winograd::avx2 {
namespace {
constexpr int64_t kLanes = 8;
#include "cpu/winograd_body.h"
}  // namespace
}  // namespace fovea::cpu::winograd::avx2
#pragma GCC pop_options

namespace fovea::cpu::winograd {

const Transforms& transforms() { return simd() == Simd::kAvx512 ? avx512::kTransforms : avx2::kTransforms; }

}  // namespace fovea::cpu::winograd

#else

namespace fovea::cpu::winograd {

const Transforms& transforms() { std::abort(); }

}  // namespace fovea::cpu::winograd

#endif
