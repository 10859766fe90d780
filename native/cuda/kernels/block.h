#pragma once

#include <cstddef>
#include <vector>

/**
 * @file
 * One source, two compilers. A kernel is a functor
 *
 *     struct Scale {
 *       struct Args { const float* x; float* y; int64_t n; float factor; };
 *       template <class Block> FOVEA_HD void operator()(Block& block, const Args& a) const {
 *         block.each([&](int thread) {
 *           for (int64_t i = block.first(thread); i < a.n; i += block.stride()) a.y[i] = a.factor * a.x[i];
 *         });
 *       }
 *     };
 *
 * that says what one block of threads does. nvcc compiles it for the device, where `each` runs its body in every thread
 * and then meets at a barrier; g++ compiles it for the emulator and the tests, where `each` is a loop over the threads.
 * Barriers exist only between two `each`, so the loop is exact. Values that live across `each` are the same in all
 * threads of a block, or lie in `shared`.
 */
#if defined(__CUDACC__)
#define FOVEA_HD __host__ __device__ __forceinline__
#else
#define FOVEA_HD inline
#endif

namespace fovea::cuda {

/**
 * A word of device memory where a kernel says that its data is wrong (an index out of range): all ones while nothing is
 * wrong. See fault.h.
 */
using FaultWord = unsigned long long;
inline constexpr FaultWord kNoFault = ~FaultWord{0};

/** How a fault word is named in the halt word. */
FOVEA_HD FaultWord nameOf(const FaultWord* word) { return reinterpret_cast<FaultWord>(word); }

/**
 * Whether a launch has to do nothing: `halt`, which may be null, names the fault word that a launch before it reported
 * to. So a fault costs what follows it on the stream, updates of variables among them, and no more. The launch that
 * reports goes on, or which of its faults comes first would depend on the order of its blocks.
 */
template <class Kernel>
FOVEA_HD bool halted(const FaultWord* halt, const typename Kernel::Args& args) {
  if (halt == nullptr || *halt == kNoFault) return false;
  if constexpr (requires { args.fault; }) return *halt != nameOf(args.fault);
  return true;
}

#if defined(__CUDACC__)
/** The block of the calling thread, on the device. */
struct DeviceBlock {
  FaultWord* halt_;

  __device__ FaultWord* halt() const { return halt_; }
  __device__ int index() const { return static_cast<int>(blockIdx.x); }
  __device__ int count() const { return static_cast<int>(gridDim.x); }
  __device__ int threads() const { return static_cast<int>(blockDim.x); }
  /** The first element of a grid-stride loop, and its stride. */
  __device__ long long first(int thread) const { return static_cast<long long>(blockIdx.x) * blockDim.x + thread; }
  __device__ long long stride() const { return static_cast<long long>(gridDim.x) * blockDim.x; }
  template <class T>
  __device__ T* shared() const {
    extern __shared__ __align__(16) unsigned char foveaShared[];
    return reinterpret_cast<T*>(foveaShared);
  }
  template <class Body>
  __device__ void each(Body body) const {
    body(static_cast<int>(threadIdx.x));
    __syncthreads();
  }
};
#endif

/** A block on the host: its threads run one after the other. */
struct HostBlock {
  int index_, count_, threads_;
  unsigned char* shared_;
  FaultWord* halt_ = nullptr;

  FaultWord* halt() const { return halt_; }
  int index() const { return index_; }
  int count() const { return count_; }
  int threads() const { return threads_; }
  long long first(int thread) const { return static_cast<long long>(index_) * threads_ + thread; }
  long long stride() const { return static_cast<long long>(count_) * threads_; }
  template <class T>
  T* shared() const {
    return reinterpret_cast<T*>(shared_);
  }
  template <class Body>
  void each(Body body) const {
    for (int thread = 0; thread < threads_; ++thread) body(thread);
  }
};

/** Runs a kernel on the host, as `launch` of launch.h does on the device. */
template <class Kernel>
void hostLaunch(unsigned blocks, unsigned threads, size_t sharedBytes, const typename Kernel::Args& args,
                FaultWord* halt = nullptr) {
  if (halted<Kernel>(halt, args)) return;
  std::vector<max_align_t> shared(sharedBytes / sizeof(max_align_t) + 1);
  for (unsigned b = 0; b < blocks; ++b) {
    HostBlock block{static_cast<int>(b), static_cast<int>(blocks), static_cast<int>(threads),
                    reinterpret_cast<unsigned char*>(shared.data()), halt};
    Kernel{}(block, args);
  }
}

}  // namespace fovea::cuda
