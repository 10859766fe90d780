#pragma once

#include <cstdint>

#include "cuda/context.h"

namespace fovea::cuda {

/**
 * What a kernel makes of its weights before it can use them: another layout, another type. Of steady weights (those
 * that no step of the plan writes) it is made once and kept until their contents change; of others at every launch in
 * the workspace. See cpu/packed.h.
 */
class Packed {
 public:
  Packed(Context& context, bool steady, size_t bytes)
      : context_(context),
        array_(steady ? DeviceArray(context, bytes, context.holder("packed weights")) : DeviceArray()) {}

  /** Where it lies: `make(to)` enqueues what writes it when it has to. */
  template <class Make>
  void* get(const Pointers& p, size_t input, void* workspace, const Make& make) {
    const uint64_t version = array_.data() != nullptr && p.versions != nullptr ? p.versions[input] : 0;
    if (version == 0) {
      make(workspace);
      return workspace;
    }
    // After a fault it is not known whether what was enqueued last has been done.
    if (version != version_ || context_.faults() != faults_) {
      version_ = 0;  // Should `make` throw.
      make(array_.data());
      version_ = version;
      faults_ = context_.faults();
    }
    return array_.data();
  }

 private:
  Context& context_;
  DeviceArray array_;
  uint64_t version_ = 0, faults_ = 0;
};

}  // namespace fovea::cuda
