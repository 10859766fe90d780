#pragma once

#include <cstdint>

/** @file Philox blocks, 32 at a time. */
namespace fovea::cpu {

struct Seed {
  uint32_t key0, key1, c2, c3;
};

inline constexpr int64_t kPhiloxBlocks = 32;

/** Words of blocks i..i+31 (i a multiple of 32), as elements take them: words[4 * block + word]; 64-byte aligned. */
void philoxBlocks(const Seed& seed, int64_t i, uint32_t* words);

}  // namespace fovea::cpu
