#pragma once

namespace fovea {

/** Cores this process may use: its affinity mask and its control group's CPU quota, at least 1. */
int usableCores();

/** Threads one kernel uses on the CPU, for plans made from now on. */
void setComputeThreads(int count);
/** As set; else OMP_NUM_THREADS, else the usable cores. */
int computeThreads();

/** Makes OpenMP regions that the calling thread starts use `count` threads. */
void useComputeThreads(int count);

/** Names the calling thread, for debuggers and `top`; OpenMP's threads that it starts inherit the name. */
void nameThread(const char* name);

}  // namespace fovea
