#pragma once

#include <string>
#include <vector>

#include "plan/device.h"
#include "plan/missing_device.h"

namespace fovea {

/**
 * The devices of the process, shared by the main thread and all Workers. Devices are found at the first question and
 * live until the process ends; their engine threads end with the last environment, and before the process exits.
 */
class Registry {
 public:
  static Registry& instance();

  /** An environment begins to use the devices. */
  void enter();
  /** An environment has ended; with the last one the engines stop. */
  void leave();
  /** Stops all engines; work that is posted later starts them again. */
  void stopEngines();

  std::vector<Device*> present();
  std::vector<MissingDevice> missing();
  /** The device of that name ("cuda" is "cuda:0"); throws ERR_DEVICE with the reason where there is none. */
  Device& find(const std::string& name);

 private:
  Registry() = default;
  /** Looks for the devices once; to be called with the mutex held. */
  void discover();
  void add(const std::string& name, std::unique_ptr<Backend> (*make)(), const std::string& remedy);
  void addCuda();

  std::mutex mutex_;
  bool discovered_ = false;
  int environments_ = 0;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<MissingDevice> missing_;
};

}  // namespace fovea
