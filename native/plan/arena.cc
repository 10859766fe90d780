#include "plan/arena.h"

#include <new>

#include "core/error.h"

namespace fovea {

void Allocation::allocate(size_t bytes) {
  reset();
  ledger_.reserve(bytes, holder_);
  std::string reason;
  try {
    data_ = static_cast<std::byte*>(backend_.allocate(bytes));
    bytes_ = bytes;
    return;
  } catch (const Error& error) {
    reason = error.what();
    if (error.code() != "ERR_OUT_OF_MEMORY") {  // a device that is broken, say
      ledger_.release(bytes, holder_);
      throw;
    }
  } catch (const std::bad_alloc& error) {
    reason = error.what();
  }
  ledger_.release(bytes, holder_);
  ledger_.refuse(bytes, holder_, reason);
}

void Allocation::reset() noexcept {
  if (!data_) return;
  backend_.free(data_, bytes_);
  ledger_.release(bytes_, holder_);
  data_ = nullptr;
  bytes_ = 0;
}

void Arena::grow(size_t valueBytes, size_t workspaceBytes) {
  if (valueBytes > values_.bytes()) values_.allocate(valueBytes);
  if (workspaceBytes > workspace_.bytes()) workspace_.allocate(workspaceBytes);
}

void Arena::release() noexcept {
  values_.reset();
  workspace_.reset();
}

}  // namespace fovea
