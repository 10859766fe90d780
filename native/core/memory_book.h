#pragma once

#include <cstddef>
#include <new>
#include <string>

#include "core/error.h"

/** @file How memory of a device is entered in its books, so that errors and statistics know who holds it. */
namespace fovea {

/** Who holds a device's memory. Safe from any thread. */
class MemoryBook {
 public:
  virtual ~MemoryBook() = default;
  /** Books `bytes` for `holder`; throws ERR_OUT_OF_MEMORY where they would exceed a limit. */
  virtual void reserve(size_t bytes, const std::string& holder) = 0;
  virtual void release(size_t bytes, const std::string& holder) noexcept = 0;
  /** The ERR_OUT_OF_MEMORY of an allocation that the device refused for `reason`. */
  virtual Error refusal(size_t bytes, const std::string& holder, const std::string& reason) const = 0;
};

/** What `allocate()` gives, booked for `holder`. Throws ERR_OUT_OF_MEMORY, and whatever else `allocate` throws. */
template <class Allocate>
void* allocateBooked(MemoryBook& book, size_t bytes, const std::string& holder, const Allocate& allocate) {
  book.reserve(bytes, holder);
  std::string reason;
  try {
    return allocate();
  } catch (const Error& error) {
    reason = error.what();
    if (error.code() != "ERR_OUT_OF_MEMORY") {  // a device that is broken, say
      book.release(bytes, holder);
      throw;
    }
  } catch (const std::bad_alloc& error) {
    reason = error.what();
  }
  book.release(bytes, holder);
  throw book.refusal(bytes, holder, reason);
}

}  // namespace fovea
