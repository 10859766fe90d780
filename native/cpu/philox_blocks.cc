#include "cpu/philox_blocks.h"

#include "core/philox.h"
#include "cpu/simd.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC's own headers: bug 105593.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace fovea::cpu {
namespace {

void philoxPlain(const Seed& s, int64_t i, uint32_t* words) {
  for (int64_t b = 0; b < kPhiloxBlocks; ++b) {
    const auto counter = static_cast<uint64_t>(i + b);
    uint32_t* c = words + 4 * b;
    c[0] = static_cast<uint32_t>(counter);
    c[1] = static_cast<uint32_t>(counter >> 32);
    c[2] = s.c2;
    c[3] = s.c3;
    philox::block(c, s.key0, s.key1);
  }
}

#if defined(__x86_64__) && defined(__GNUC__)
#define AVX512 __attribute__((target("arch=x86-64-v4")))

/** High and low halves of the sixteen products of 32-bit numbers. */
AVX512 inline void multiply(__m512i a, __m512i m, __m512i* high, __m512i* low) {
  const __m512i even = _mm512_mul_epu32(a, m), odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), m);
  *low = _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
  *high = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd);
}

/** Two groups of sixteen, so that one's multiplications fill the other's latency. */
AVX512 void philoxAvx512(const Seed& s, int64_t i, uint32_t* words) {
  // Lane 4 l + q takes block 4 q + l: the 4x4 transposes below, within 128 bits, then leave the words in order.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i m0 = _mm512_set1_epi32(static_cast<int>(philox::kMultiplier0));
  const __m512i m1 = _mm512_set1_epi32(static_cast<int>(philox::kMultiplier1));
  __m512i c0[2], c1[2], c2[2], c3[2];
  for (int g = 0; g < 2; ++g) {
    c0[g] = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(i + 16 * g)), order);
    c1[g] = _mm512_set1_epi32(static_cast<int>(static_cast<uint64_t>(i) >> 32));
    c2[g] = _mm512_set1_epi32(static_cast<int>(s.c2));
    c3[g] = _mm512_set1_epi32(static_cast<int>(s.c3));
  }
  uint32_t key0 = s.key0, key1 = s.key1;
  for (int r = 0; r < philox::kRounds; ++r, key0 += philox::kWeyl0, key1 += philox::kWeyl1) {
    const __m512i k0 = _mm512_set1_epi32(static_cast<int>(key0)), k1 = _mm512_set1_epi32(static_cast<int>(key1));
#pragma GCC unroll 2
    for (int g = 0; g < 2; ++g) {
      __m512i high0, low0, high1, low1;
      multiply(c0[g], m0, &high0, &low0);
      multiply(c2[g], m1, &high1, &low1);
      c0[g] = _mm512_xor_si512(_mm512_xor_si512(high1, c1[g]), k0);
      c2[g] = _mm512_xor_si512(_mm512_xor_si512(high0, c3[g]), k1);
      c1[g] = low1;
      c3[g] = low0;
    }
  }
#pragma GCC unroll 2
  for (int g = 0; g < 2; ++g, words += 64) {
    const __m512i a = _mm512_unpacklo_epi32(c0[g], c1[g]), b = _mm512_unpacklo_epi32(c2[g], c3[g]);
    const __m512i c = _mm512_unpackhi_epi32(c0[g], c1[g]), d = _mm512_unpackhi_epi32(c2[g], c3[g]);
    _mm512_store_si512(words, _mm512_unpacklo_epi64(a, b));
    _mm512_store_si512(words + 16, _mm512_unpackhi_epi64(a, b));
    _mm512_store_si512(words + 32, _mm512_unpacklo_epi64(c, d));
    _mm512_store_si512(words + 48, _mm512_unpackhi_epi64(c, d));
  }
}
#undef AVX512
#endif

}  // namespace

void philoxBlocks(const Seed& seed, int64_t i, uint32_t* words) {
#if defined(__x86_64__) && defined(__GNUC__)
  if (simd() == Simd::kAvx512) return philoxAvx512(seed, i, words);
#endif
  philoxPlain(seed, i, words);
}

}  // namespace fovea::cpu
