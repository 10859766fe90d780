#include "plan/threads.h"

#include <omp.h>
#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#endif

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

namespace fovea {
namespace {

std::atomic<int> chosenThreads{0};

int affinityCores() {
#ifdef __linux__
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

/** The cores a container's quota is worth. */
int quotaCores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return std::numeric_limits<int>::max();
  return static_cast<int>(std::ceil(std::atof(quota.c_str()) / period));
}

int defaultThreads() {
  const char* asked = std::getenv("OMP_NUM_THREADS");
  const int count = asked ? std::atoi(asked) : 0;
  return count > 0 ? count : usableCores();
}

}  // namespace

int usableCores() { return std::max(1, std::min(affinityCores(), quotaCores())); }

void setComputeThreads(int count) { chosenThreads = count; }

int computeThreads() {
  static const int standard = defaultThreads();
  const int chosen = chosenThreads;
  return chosen > 0 ? chosen : standard;
}

void useComputeThreads(int count) { omp_set_num_threads(count); }

void nameThread(const char* name) {
#ifdef __linux__
  pthread_setname_np(pthread_self(), name);
#endif
}

}  // namespace fovea
