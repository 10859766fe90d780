#include "cpu/conv_timing.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <utility>

#include "cpu/conv_pieces.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/parts.h"
#include "cpu/streaming.h"

namespace fovea::cpu {
namespace {

constexpr double kSampleFlops = 0.5e9;      ///< Of what is timed where fewer images tell as much: some milliseconds.
constexpr int64_t kSamplePositions = 3072;  ///< Of it at least: a kernel is packed or transformed once for all.
constexpr int kRounds = 6;                  ///< Timed rounds over the candidates,
constexpr int kLeastRounds = 2;             ///< of these so many,
constexpr double kMostSeconds = 0.08;       ///< and no further one after so long.
constexpr double kClearly = 1.03;           ///< How much faster a candidate must be than one that is preferred to it.

/**
 * What is timed in its place: the share of the images that one thread gets, or fewer where what is done once for all
 * images hardly counts. Gradients of the kernel take more where images are small: threads divide what comes after the
 * sums. It is cut into the same pieces, which one thread alone would not do. Where results leave the caches it is as
 * many images as do so, for all threads.
 */
Conv sampleOf(const Conv& v) {
  Conv sample = v;
  if (v.streams) {
    const auto bytes = static_cast<int64_t>(v.operands().outputs[0].bytes());
    sample.n = std::min(v.n, ceilDivide(2 * static_cast<int64_t>(kStreamedBytes) * v.n, bytes));
    return sample;
  }
  if (const Pieces pieces(v); !pieces.whole()) sample.piece = pieces.parts.largest();
  const int64_t share = ceilDivide(v.n, maxThreads()), byPositions = ceilDivide(kSamplePositions, v.oh * v.ow);
  if (v.kind == ConvKind::kBackwardKernel) {
    sample.n = std::max(share, std::min(v.n, 2 * byPositions));
  } else {
    const auto byFlops = static_cast<int64_t>(std::ceil(kSampleFlops * static_cast<double>(v.n) / v.flops()));
    sample.n = std::min(share, std::max(byFlops, byPositions));
  }
  return sample;
}

/** Processor time of this thread or of all: other work on the machine does not count. */
double processorSeconds(bool all) {
  timespec t{};
  clock_gettime(all ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

/** Operands made up for timing. */
class TimingBuffers {
 public:
  explicit TimingBuffers(const Conv& v) : allThreads_(v.streams) {
    const Operands operands = v.operands();
    for (const TensorDesc& t : operands.inputs) inputs_.push_back(make(t.bytes(), t.dtype));
    for (const TensorDesc& t : operands.outputs) outputs_.push_back(make(t.bytes(), t.dtype));
  }
  ~TimingBuffers() {
    for (const auto& [p, bytes] : all_) munmap(p, bytes);
  }
  TimingBuffers(const TimingBuffers&) = delete;
  TimingBuffers& operator=(const TimingBuffers&) = delete;

  /** Seconds of one launch; makes the workspace large enough for it. */
  double seconds(Kernel& kernel, Stream& stream) {
    if (kernel.workspaceBytes() > workspaceBytes_ || workspace_ == nullptr) {
      workspaceBytes_ = kernel.workspaceBytes();
      workspace_ = make(workspaceBytes_);
    }
    static constexpr uint64_t kVersions[] = {1, 1, 1, 1};
    const Pointers pointers{inputs_.data(), outputs_.data(), workspace_, kVersions};
    const double start = processorSeconds(allThreads_);
    kernel.launch(stream, pointers);
    return processorSeconds(allThreads_) - start;
  }

 private:
  void* make(size_t bytes, DType dtype = DType::kFloat32) {
    // Mapped and unmapped again: the heap would keep hundreds of megabytes.
    const size_t size = std::max<size_t>(align64(bytes), 64);
    void* p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw Error("ERR_OUT_OF_MEMORY", "cpu: no memory to time a convolution");
    all_.emplace_back(p, size);
#ifdef MADV_HUGEPAGE
    madvise(p, size, MADV_HUGEPAGE);  // As the arena, where a plan's operands lie.
#endif
    withFloatType(dtype, [&](auto* type) {
      auto* to = static_cast<decltype(type)>(p);
      for (size_t i = 0; i < size / sizeof(*to); ++i) store(to + i, static_cast<float>(i % 31) * 0.01f - 0.1f);
    });
    return p;
  }
  bool allThreads_;
  std::vector<std::pair<void*, size_t>> all_;
  std::vector<void*> outputs_;
  std::vector<const void*> inputs_;
  void* workspace_ = nullptr;
  size_t workspaceBytes_ = 0;
};

}  // namespace

std::string fastest(const Conv& whole, const std::vector<ConvCandidate>& list, Stream& stream) {
  const Conv v = sampleOf(whole);
  const PreparedThreads::Scope threads(v.streams ? maxThreads() : 1);
  struct Entry {
    const char* name;
    KernelPtr kernel;
    double best = std::numeric_limits<double>::infinity();
  };
  std::vector<Entry> entries;
  for (const ConvCandidate& candidate : list) {
    if (KernelPtr kernel = candidate.make(v)) entries.push_back({candidate.name, std::move(kernel)});
  }
  if (entries.empty()) return "gemm";
  if (entries.size() == 1) return entries[0].name;
  const auto faster = [](const Entry& a, const Entry& b) { return a.best < b.best; };
  TimingBuffers buffers(v);
  for (Entry& entry : entries) buffers.seconds(*entry.kernel, stream);  // Warms up caches and pages.
  double total = 0;
  for (int round = 0; round < kRounds && (round < kLeastRounds || total < kMostSeconds); ++round) {
    const double best = std::min_element(entries.begin(), entries.end(), faster)->best;
    for (Entry& entry : entries) {
      if (round >= 1 && entry.best > 1.5 * best) continue;
      const double t = buffers.seconds(*entry.kernel, stream);
      entry.best = std::min(entry.best, t);
      total += t;
    }
  }
  const double best = std::min_element(entries.begin(), entries.end(), faster)->best;
  return std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.best <= kClearly * best; })->name;
}

}  // namespace fovea::cpu
