#pragma once

#include <cstdint>

/** @file Sixteen Philox blocks at a time. */
namespace fovea::cpu {

struct Seed {
  uint32_t key0, key1, c2, c3;
};

inline constexpr int64_t kPhiloxBlocks = 16;

/** Words of blocks i..i+15 (i a multiple of 16), as elements take them: words[4 * block + word]; 64-byte aligned. */
void philoxBlocks(const Seed& seed, int64_t i, uint32_t* words);

}  // namespace fovea::cpu
