#pragma once

#include <cstddef>
#include <string>

namespace fovea::emulator {

/**
 * The memory of the emulated devices and the pinned memory of the host. Device memory is a range of addresses of its
 * own. Fresh and freed memory is filled with 0xFF (NaN as float, -1 as int32), and every block lies between red zones
 * that are checked when it is freed. In strict mode its pages can only be touched inside a DeviceWork scope.
 *
 * Not thread-safe by itself: callers hold the runtime's lock.
 */
class Memory {
 public:
  static Memory& instance();

  /** Null when the device's limit would be passed. Aligned to 512 bytes. */
  void* allocate(int device, size_t bytes);
  /** False when `pointer` is no live block's start. Ends the process with a message when a red zone was written. */
  bool free(void* pointer);
  size_t used(int device) const;

  void* allocatePinned(size_t bytes);
  bool freePinned(void* pointer);

  enum class Place { kDevice, kPinned, kPageable };
  struct Where {
    Place place = Place::kPageable;
    int device = -1;
    size_t left = 0;  ///< Bytes from the pointer to the end of its block; 0 where unknown.
  };
  /** A device address outside every live block gives kDevice with nothing left. */
  Where find(const void* pointer) const;

  /** Live blocks, for the books: empty when all was freed. */
  std::string describeLive() const;

  /** Opens device memory for work of the device, in strict mode. */
  class DeviceWork {
   public:
    DeviceWork();
    ~DeviceWork();
    DeviceWork(const DeviceWork&) = delete;
    DeviceWork& operator=(const DeviceWork&) = delete;
  };

 private:
  Memory();
  struct State;
  State* state_;
};

}  // namespace fovea::emulator
