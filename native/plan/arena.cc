#include "plan/arena.h"

#include "core/memory_book.h"

namespace fovea {

void Allocation::allocate(size_t bytes) {
  reset();
  data_ = static_cast<std::byte*>(allocateBooked(ledger_, bytes, holder_, [&] { return backend_.allocate(bytes); }));
  bytes_ = bytes;
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
