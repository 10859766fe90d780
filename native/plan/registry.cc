#include "plan/registry.h"

#include <cstdlib>
#include <exception>
#include <utility>

#include "core/error.h"
#include "plan/cuda_plugin.h"

namespace fovea {

Registry& Registry::instance() {
  // Never destroyed: jobs and finalizers of ending threads may still refer to a device. The engine threads are joined
  // by an exit handler, before the destructors of the libraries they use.
  static Registry* const registry = [] {
    std::atexit([] { instance().stopEngines(); });
    return new Registry;
  }();
  return *registry;
}

void Registry::enter() {
  std::lock_guard lock(mutex_);
  ++environments_;
}

void Registry::leave() {
  {
    std::lock_guard lock(mutex_);
    if (--environments_ > 0) return;
  }
  stopEngines();
}

void Registry::stopEngines() {
  std::vector<Device*> devices;
  {
    std::lock_guard lock(mutex_);
    for (const auto& device : devices_) devices.push_back(device.get());
  }
  for (Device* device : devices) device->engine().stop();
}

void Registry::discover() {
  if (std::exchange(discovered_, true)) return;
  add("cpu", makeCpuBackend, "Install oneDNN (Debian/Ubuntu: apt install libdnnl-dev) and run npm run build:native.");
  addCuda();
}

void Registry::add(const std::string& name, std::unique_ptr<Backend> (*make)(), const std::string& remedy) {
  try {
    devices_.push_back(std::make_unique<Device>(make()));
  } catch (const std::exception& error) {
    missing_.push_back({name, error.what(), remedy});
  }
}

void Registry::addCuda() {
  CudaDevices cuda = discoverCuda();
  for (auto& backend : cuda.present) devices_.push_back(std::make_unique<Device>(std::move(backend)));
  missing_.insert(missing_.end(), cuda.missing.begin(), cuda.missing.end());
}

std::vector<Device*> Registry::present() {
  std::lock_guard lock(mutex_);
  discover();
  std::vector<Device*> list;
  for (const auto& device : devices_) list.push_back(device.get());
  return list;
}

std::vector<MissingDevice> Registry::missing() {
  std::lock_guard lock(mutex_);
  discover();
  return missing_;
}

Device& Registry::find(const std::string& name) {
  std::lock_guard lock(mutex_);
  discover();
  std::string known;
  for (const auto& device : devices_) {
    if (device->backend().info().name == (name == "cuda" ? "cuda:0" : name)) return *device;
    known += (known.empty() ? "'" : ", '") + device->backend().info().name + "'";
  }
  for (const MissingDevice& device : missing_) {
    // Where there is no NVIDIA device at all, none has a number.
    if (device.name == name || (device.name == "cuda" && name.rfind("cuda:", 0) == 0))
      throw Error("ERR_DEVICE", "device '" + name + "': " + device.reason + ". " + device.remedy);
  }
  throw Error("ERR_DEVICE",
              "expected a device of " + (known.empty() ? "none present" : known) + ", received '" + name + "'");
}

}  // namespace fovea
