#include "emulator/config.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace fovea::emulator {
namespace {

[[noreturn]] void refuse(const char* name, const std::string& value, const char* expected) {
  std::fprintf(stderr, "emulator: %s: expected %s, received '%s'\n", name, expected, value.c_str());
  std::abort();
}

std::string text(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

uint64_t number(const char* name, uint64_t otherwise) {
  const std::string value = text(name);
  if (value.empty()) return otherwise;
  size_t used = 0;
  uint64_t n = 0;
  try {
    n = std::stoull(value, &used);
  } catch (const std::exception&) {
    refuse(name, value, "a whole number");
  }
  const std::string unit = value.substr(used);
  if (unit == "K") return n << 10;
  if (unit == "M") return n << 20;
  if (unit == "G") return n << 30;
  if (!unit.empty()) refuse(name, value, "a whole number, perhaps with K, M or G");
  return n;
}

bool flag(const char* name) {
  const std::string value = text(name);
  return !value.empty() && value != "0";
}

Config read() {
  Config c;
  const std::string order = text("FOVEA_EMU_ASYNC");
  if (order == "lazy") {
    c.order = Order::kLazy;
  } else if (order == "shuffle") {
    c.order = Order::kShuffle;
  } else if (!order.empty() && order != "eager") {
    refuse("FOVEA_EMU_ASYNC", order, "eager, lazy or shuffle");
  }
  c.strict = flag("FOVEA_EMU_STRICT");
  c.noDriver = flag("FOVEA_EMU_NO_DRIVER");
  c.devices = static_cast<int>(number("FOVEA_EMU_DEVICES", 1));
  c.sm = static_cast<int>(number("FOVEA_EMU_SM", 90));
  c.memory = number("FOVEA_EMU_MEM_LIMIT", c.memory);
  c.cudnnVersion = number("FOVEA_EMU_CUDNN_VERSION", c.cudnnVersion);
  c.seed = number("FOVEA_EMU_SEED", 1);
  return c;
}

}  // namespace

const Config& config() {
  static const Config c = read();
  return c;
}

}  // namespace fovea::emulator
