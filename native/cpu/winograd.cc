#include "cpu/winograd.h"

#include <cstdlib>
#include <cstring>

#include "cpu/gemm_tile.h"
#include "cpu/simd.h"

#if defined(__x86_64__) && defined(__GNUC__)

namespace fovea::cpu::winograd {

#define FOVEA_BODY "cpu/winograd_body.h"
#include "cpu/each_simd.h"

const Transforms& transforms() { return wide() ? avx512::kTransforms : avx2::kTransforms; }

}  // namespace fovea::cpu::winograd

#else

namespace fovea::cpu::winograd {

const Transforms& transforms() { std::abort(); }

}  // namespace fovea::cpu::winograd

#endif
