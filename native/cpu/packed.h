#pragma once

#include <cstddef>
#include <cstdint>

#include "core/error.h"
#include "cpu/kernel_base.h"
#include "cpu/memory.h"

namespace fovea::cpu {

/**
 * What a kernel makes of its weights before it can use them: another layout, a transform. Of steady weights (those that
 * no step of the plan writes) it is made once and kept until their contents change; of others it is made at every
 * launch in the workspace.
 */
class Packed {
 public:
  Packed(bool steady, size_t bytes) : steady_(steady), bytes_(bytes) {}

  /** Where it lies: `make(to)` writes it when it has to. */
  template <class Make>
  void* get(const Pointers& p, size_t input, void* workspace, const Make& make) {
    const uint64_t version = steady_ && p.versions != nullptr ? p.versions[input] : 0;
    if (version == 0) {
      make(workspace);
      return workspace;
    }
    if (version != version_) {
      if (!data_) data_ = OwnedMemory(allocateMemory(bytes_), FreeMemory{bytes_});
      if (!data_) throw Error("ERR_OUT_OF_MEMORY", "cpu: no memory for packed weights");
      version_ = 0;  // Should `make` throw.
      make(data_.get());
      version_ = version;
    }
    return data_.get();
  }

 private:
  bool steady_;
  size_t bytes_;
  OwnedMemory data_;
  uint64_t version_ = 0;
};

}  // namespace fovea::cpu
