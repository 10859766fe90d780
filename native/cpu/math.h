#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "cpu/simd.h"

/**
 * @file
 * Elementary functions on floats without branches or calls, so that loops over them vectorise. Errors are about one
 * unit in the last place; NaN passes through, overflow gives infinity, underflow goes through denormals to 0.
 */
namespace fovea::cpu::math {

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

FOVEA_INLINE float bitsToFloat(int32_t i) { return std::bit_cast<float>(i); }
FOVEA_INLINE int32_t floatToBits(float f) { return std::bit_cast<int32_t>(f); }

/** 2^n for -126 <= n <= 127. */
FOVEA_INLINE float pow2(int32_t n) { return std::bit_cast<float>((static_cast<uint32_t>(n) + 127u) << 23); }

/** x = n ln 2 + r with |r| <= ln(2)/2. Returns n; Cody and Waite's two-part ln 2. */
FOVEA_INLINE int32_t reduceExp(float x, float* r) {
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer held in the low bits.
  const float shifted = x * 1.44269504088896341f + magic;
  const float n = shifted - magic;
  *r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  return static_cast<int32_t>(static_cast<uint32_t>(floatToBits(shifted)) - 0x4b400000u);
}

/** (exp(r) - 1 - r) / r^2 on |r| <= ln(2)/2: Cephes expf (Moshier). */
FOVEA_INLINE float expTail(float r) {
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  return p * r + 5.0000001201e-1f;
}

FOVEA_INLINE float exp(float x) {
  float c = x > 90.0f ? 90.0f : x;
  c = c < -110.0f ? -110.0f : c;  // Both keep NaN.
  float r;
  const int32_t n = reduceExp(c, &r);
  const int32_t half = n >> 1;
  const float e = expTail(r) * (r * r) + r + 1.0f;
  // Two factors, so that 2^n may lie outside the normal numbers. NaN's n is garbage: its factors do not matter.
  return e * pow2(half) * pow2(n - half);
}

FOVEA_INLINE float expm1(float x) {
  float c = x > 88.8f ? 88.8f : x;  // exp(88.8) overflows as it should, with n = 128.
  c = c < -30.0f ? -30.0f : c;
  float r;
  const int32_t n = reduceExp(c, &r);
  const float m = expTail(r) * (r * r) + r;  // exp(r) - 1
  const float s = pow2(n - 1);               // 2^n / 2, finite up to n = 128
  const float y = (m * s + (s - 0.5f)) * 2.0f;
  // Keeps tiny values (and -0) exact.
  const float a = c < 0 ? -c : c;
  return a < 1e-10f ? x : y;
}

/** Cephes logf (Moshier), with denormals, 0, negatives and infinity taken care of by selects. */
FOVEA_INLINE float log(float x) {
  const bool tiny = x < 1.17549435e-38f;
  const float scaled = tiny ? x * 8388608.0f : x;
  const int32_t bits = floatToBits(scaled);
  // Splits at sqrt(1/2): m in [0.7071, 1.4142).
  const int32_t e = static_cast<int32_t>(static_cast<uint32_t>(bits) - 0x3f3504f3u) >> 23;
  const float m = bitsToFloat(static_cast<int32_t>(static_cast<uint32_t>(bits) - (static_cast<uint32_t>(e) << 23)));
  const float f = m - 1.0f;
  const float z = f * f;
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  const float n = static_cast<float>(e) - (tiny ? 23.0f : 0.0f);
  float y = p * f * z;
  y = y + n * -2.12194440e-4f;
  y = y - 0.5f * z;
  float result = f + y;
  result = result + n * 0.693359375f;
  result = x < kInf ? result : x;  // +inf and NaN
  result = x == 0 ? -kInf : result;
  return x < 0 ? kNan : result;
}

/** log(1 + x) with the rounding of 1 + x made good (Kahan). */
FOVEA_INLINE float log1p(float x) {
  const float u = 1.0f + x;
  const float d = u - 1.0f;
  const float y = log(u) * (x / d);
  const float fixed = d == 0 ? x : y;
  return x < kInf ? fixed : x;
}

FOVEA_INLINE float tanh(float x) {
  const float a = x < 0 ? -x : x;
  const float c = a > 20.0f ? 20.0f : a;
  const float t = expm1(2.0f * c);
  const float y = t / (t + 2.0f);
  return x < 0 ? -y : (x == 0 ? x : y);
}

FOVEA_INLINE float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }

/** Two minimax polynomials, one behind an exponential, after N. Juffa's public erff; under 1 ulp each. */
FOVEA_INLINE float erf(float x) {
  const float t = x < 0 ? -x : x;
  const float s = x * x;
  float r = -1.72853470e-5f * t + 3.83197126e-4f;
  const float u = -3.88396438e-3f * t + 2.42546219e-2f;
  r = r * s + u;
  r = r * t - 1.06777877e-1f;
  r = r * t - 6.34846687e-1f;
  r = r * t - 1.28717512e-1f;
  r = r * t - t;
  const float tail = t > 4.0f ? 1.0f : 1.0f - exp(r);
  const float large = x < 0 ? -tail : tail;
  float q = -5.96761703e-4f;
  q = q * s + 4.99119423e-3f;
  q = q * s - 2.67681349e-2f;
  q = q * s + 1.12819925e-1f;
  q = q * s - 3.76125336e-1f;
  q = q * s + 1.28379166e-1f;
  const float small = q * x + x;
  return x != x ? x : (t > 0.927734375f ? large : small);
}

/** Truncates toward zero, saturates; NaN gives 0. */
FOVEA_INLINE int32_t toInt(float x) {
  const float c = x >= 2147483648.0f ? 0.0f : (x < -2147483648.0f ? 0.0f : (x != x ? 0.0f : x));
  const int32_t i = static_cast<int32_t>(c);
  return x >= 2147483648.0f ? 2147483647 : (x < -2147483648.0f ? -2147483647 - 1 : i);
}

}  // namespace fovea::cpu::math
