#pragma once

#include <cstddef>
#include <cstdint>

/**
 * @file
 * Results too large for the caches are written past them ("streamed"): a line that is written as a whole need not be
 * read from memory first, and what the caches hold stays there.
 */
namespace fovea::cpu {

/** More than the share of the last level of cache that a few cores have. */
inline constexpr size_t kStreamedBytes = size_t{32} << 20;

/** Whether a result of so many bytes has left the caches before it is read. */
inline bool leavesCaches(size_t bytes) { return bytes > kStreamedBytes; }

/** Whether a line of the caches begins there: streamed stores are of whole ones. */
inline bool beginsLine(const void* p) { return reinterpret_cast<uintptr_t>(p) % 64 == 0; }

/** Streamed stores of this thread come before what it does next, as plain ones always do. */
inline void finishStreaming() {
#ifdef __x86_64__
  __builtin_ia32_sfence();
#endif
}

}  // namespace fovea::cpu
