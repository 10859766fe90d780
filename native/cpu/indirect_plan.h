#pragma once

#include <cstdint>
#include <vector>

#include "cpu/conv.h"
#include "cpu/plane.h"

/** @file How a convolution becomes products of rows that pointers name: geometry only. */
namespace fovea::cpu {

/**
 * Written positions for which the same taps are summed: forward all of them; by input those with the same remainder
 * modulo the stride, of which a tap reaches one only.
 */
struct IndirectPhase {
  struct Tap {
    int64_t y, x;    ///< Where it reads: written row i (column j) reads row i * readY + y (column j * readX + x).
    int64_t weight;  ///< Its place in the kernel, ky * kw + kx.
  };
  int64_t top, left, down, across;  ///< Positions (top + i * stepY, left + j * stepX), i < down and j < across.
  std::vector<Tap> taps;
};

/** A part of the sum, small enough that a panel of its weights stays in the first level of cache. */
struct IndirectChunk {
  size_t phase;
  int64_t tap, taps;     ///< Of the phase.
  int64_t first, depth;  ///< Values of every tap.
  int64_t at;            ///< Its packed weights, in floats: [groups][panels][taps * depth][columns].
};

struct IndirectPlan {
  Conv conv;
  Plane from, to;        ///< Read and written.
  int64_t stepY, stepX;  ///< Between the written positions of a phase,
  int64_t readY, readX;  ///< and between those that they read.
  int64_t depth, width;  ///< Values of a tap, columns of the product: channels of a group.
  int64_t panels;        ///< Of a group.
  /**
   * Few channels: a row of the kernel is one tap of kw * c values, read from lines copied with their padding. Such
   * blocks of rows stay within one image.
   */
  bool lines;
  int64_t lineFloats;
  /**
   * Pixels that a tile reads side by side lie whole pages apart, and would push each other out of the first level of
   * cache: they are copied first.
   */
  bool copies;
  /** Results are written past the caches: they are large, made of whole lines and by one chunk. */
  bool streams;
  std::vector<IndirectPhase> phases;
  std::vector<IndirectChunk> chunks;
  int64_t packedFloats;

  /** Rows of a phase that follow each other, `runs()` times. */
  int64_t rows(const IndirectPhase& p) const { return (lines ? 1 : conv.n) * p.down * p.across; }
  int64_t runs() const { return lines ? conv.n : 1; }
  /** Floats of a copied pixel: not a whole number of pages. */
  int64_t copyFloats() const;
  /** Floats that `gather` needs for what it copies for so many rows. */
  int64_t lineScratch(int64_t rows) const;
};

IndirectPlan indirectPlan(const Conv&);

/** Weights [kh,kw,cg,o] as the chunks' panels; columns past the last are 0. */
void packWeights(const IndirectPlan&, const float* w, float* to);

/**
 * Rows first..first+count-1 of a run: table[t * count + i] points at the values of row i for tap t, to[i] is the place
 * of its output. `zeros` has from.channels zeros; `scratch` as much as lineScratch(count).
 */
void gather(const IndirectPlan&, const IndirectPhase&, const float* x, int64_t run, int64_t first, int64_t count,
            const float* zeros, float* scratch, const float** table, int64_t* to);

}  // namespace fovea::cpu
