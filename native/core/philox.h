#pragma once

#include <cstdint>

/**
 * @file
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3" (SC 2011). Plain C++ that a CUDA compiler takes too (define FOVEA_DEVICE there).
 */
#ifndef FOVEA_DEVICE
#define FOVEA_DEVICE
#endif

namespace fovea::philox {

inline constexpr uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
inline constexpr uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;
inline constexpr int kRounds = 10;

/** One round on the four words of a block. */
FOVEA_DEVICE inline void round(uint32_t& c0, uint32_t& c1, uint32_t& c2, uint32_t& c3, uint32_t key0, uint32_t key1) {
  const uint64_t p0 = uint64_t{kMultiplier0} * c0, p1 = uint64_t{kMultiplier1} * c2;
  const uint32_t low0 = static_cast<uint32_t>(p0), low1 = static_cast<uint32_t>(p1);
  c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ key0;
  c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ key1;
  c1 = low1;
  c3 = low0;
}

/** Encrypts counter `c` in place with the key. */
FOVEA_DEVICE inline void block(uint32_t c[4], uint32_t key0, uint32_t key1) {
  for (int r = 0; r < kRounds; ++r) {
    round(c[0], c[1], c[2], c[3], key0, key1);
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
}

}  // namespace fovea::philox
