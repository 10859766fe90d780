#pragma once

#include <string>
#include <vector>

#include "core/backend.h"
#include "cpu/conv.h"

/** @file The choice among implementations of a convolution by timing them. */
namespace fovea::cpu {

struct ConvCandidate {
  const char* name;
  ConvMaker make;
};

/**
 * The name of the fastest candidate, by processor time on one thread: with all threads, whatever else the machine does
 * would decide (measured: a busy neighbour costs a barrier a scheduler's tick of 4 ms). But where results leave the
 * caches it takes all of them to make memory as scarce as it will be. Where two are much the same, the one that stands
 * first: else noise would decide.
 */
std::string fastest(const Conv&, const std::vector<ConvCandidate>&, Stream&);

}  // namespace fovea::cpu
