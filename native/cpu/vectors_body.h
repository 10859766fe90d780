// No #pragma once: bodies of each_simd.h include this. Vectors of kLanes floats, and how they are read and written.

using Vector = float __attribute__((vector_size(kLanes * 4)));
using Loose = float __attribute__((vector_size(kLanes * 4), aligned(4)));
using Bits = uint32_t __attribute__((vector_size(kLanes * 4)));
using Halves = uint16_t __attribute__((vector_size(kLanes * 2)));
using LooseHalves = uint16_t __attribute__((vector_size(kLanes * 2), aligned(2)));

/** The first `count` elements, and zeros for others. */
FOVEA_INLINE Vector load(const float* p, int64_t count) {
  if (count >= kLanes) return *reinterpret_cast<const Loose*>(p);
  Vector v{};
  if (count > 0) std::memcpy(&v, p, static_cast<size_t>(count) * sizeof(float));
  return v;
}
FOVEA_INLINE Vector load(const BFloat16* p, int64_t count) {
  Halves h{};
  if (count >= kLanes) {
    h = *reinterpret_cast<const LooseHalves*>(p);
  } else if (count > 0) {
    std::memcpy(&h, p, static_cast<size_t>(count) * sizeof(BFloat16));
  }
  return reinterpret_cast<Vector>(__builtin_convertvector(h, Bits) << 16);
}

FOVEA_INLINE void store(float* p, Vector v, int64_t count) {
  if (count >= kLanes) {
    *reinterpret_cast<Loose*>(p) = v;
  } else if (count > 0) {
    std::memcpy(p, &v, static_cast<size_t>(count) * sizeof(float));
  }
}
/** Rounds as toBFloat16 does. */
FOVEA_INLINE void store(BFloat16* p, Vector v, int64_t count) {
  const Bits u = reinterpret_cast<Bits>(v), upper = u >> 16, rounded = (u + 0x7fffu + (upper & 1u)) >> 16;
  const Halves h = __builtin_convertvector(v != v ? upper | 0x40u : rounded, Halves);
  if (count >= kLanes) {
    *reinterpret_cast<LooseHalves*>(p) = h;
  } else if (count > 0) {
    std::memcpy(p, &h, static_cast<size_t>(count) * sizeof(BFloat16));
  }
}
