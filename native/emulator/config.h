#pragma once

#include <cstddef>
#include <cstdint>

namespace fovea::emulator {

/** When enqueued work runs. */
enum class Order : uint8_t {
  kEager,    ///< At once.
  kLazy,     ///< As late as a real device may: when something waits for it. Finds staging memory reused too early.
  kShuffle,  ///< Like lazy, and streams that do not wait for each other advance in random order.
};

/** What the emulated machine is; read from the environment when the library is loaded. */
struct Config {
  Order order = Order::kEager;      ///< FOVEA_EMU_ASYNC=eager|lazy|shuffle
  bool strict = false;              ///< FOVEA_EMU_STRICT=1: a host touch of device memory faults.
  bool noDriver = false;            ///< FOVEA_EMU_NO_DRIVER=1
  int devices = 1;                  ///< FOVEA_EMU_DEVICES=n
  int sm = 90;                      ///< FOVEA_EMU_SM=75|80|86|89|90|100|120
  size_t memory = size_t{8} << 30;  ///< FOVEA_EMU_MEM_LIMIT=64M: device memory in bytes, with K, M or G.
  size_t cudnnVersion = 92400;      ///< FOVEA_EMU_CUDNN_VERSION
  uint64_t seed = 1;                ///< FOVEA_EMU_SEED, of the shuffled order.
};

/** Throws nothing: values that cannot be understood end the process with a message, as a test double should. */
const Config& config();

}  // namespace fovea::emulator
