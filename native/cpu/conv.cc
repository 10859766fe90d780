#include "cpu/conv.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <limits>
#include <utility>

#include "cpu/backend.h"
#include "cpu/conv_pieces.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/parts.h"
#include "cpu/simd.h"
#include "cpu/streaming.h"
#include "cpu/winners.h"

/**
 * @file
 * Checks of the convolution kernels, and the choice among their implementations: large convolutions time the candidates
 * once and remember the winner by shape.
 */
namespace fovea::cpu {
namespace {

constexpr double kTimedFlops = 20e6;        ///< Smaller convolutions take the first candidate untimed.
constexpr double kSampleFlops = 0.5e9;      ///< Of what is timed where fewer images tell as much: some milliseconds.
constexpr int64_t kSamplePositions = 3072;  ///< Of it at least: a kernel is packed or transformed once for all.
constexpr int kRounds = 6;                  ///< Timed rounds over the candidates,
constexpr int kLeastRounds = 2;             ///< of these so many,
constexpr double kMostSeconds = 0.08;       ///< and no further one after so long.
constexpr double kClearly = 1.03;           ///< How much faster a candidate must be than one that is preferred to it.

Conv parse(ConvKind kind, const Conv2dDesc& d) {
  Conv v;
  static_cast<ConvGeometry&>(v) = parseConv(kind, d);
  v.streams = streams(v.operands().outputs[0].bytes());
  return v;
}

/**
 * What is timed in its place: the share of the images that one thread gets, or fewer where what is done once for all
 * images hardly counts. Gradients of the kernel take more where images are small: threads divide what comes after the
 * sums. It is cut into the same pieces, which one thread alone would not do. Results that leave the caches are timed as
 * they are.
 */
Conv sampleOf(const Conv& v) {
  Conv sample = v;
  if (v.streams) return sample;
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

KernelPtr choose(const Conv& v, bool exact, Stream& stream, Winners& winners);

struct Candidate {
  const char* name;
  ConvMaker make;
};

/** FOVEA_CONV=name takes that candidate wherever it applies: for measurements and tests. */
const char* forced() {
  static const char* const name = std::getenv("FOVEA_CONV");
  return name;
}

/** A kernel for images of their type that takes and gives kernels and biases of float32: narrow ones are converted. */
template <class Make>
KernelPtr withWideKernel(const Conv& v, const Make& make) {
  Conv w = v;
  w.kernelType = w.biasType = DType::kFloat32;
  KernelPtr kernel = make(w);
  Conv converted = v;
  converted.type = DType::kFloat32;  // Not the images.
  if (!kernel || !usesNarrow(converted.operands())) return kernel;
  return converting(converted.operands(), std::move(kernel));
}

KernelPtr makeWinograd(const Conv& v, WinogradBlock block, WinogradTile tile) {
  return withWideKernel(v, [&](const Conv& w) { return makeWinogradConv(w, block, tile); });
}

/** In order of preference where nothing is timed. The rules leave out what has never won at such shapes. */
std::vector<Candidate> candidates(const Conv& v, bool exact, Stream& stream, Winners& winners) {
  std::vector<Candidate> list;
  const bool odd = v.cg() % 16 != 0 || v.og() % 16 != 0;
  const bool big = v.flops() >= kTimedFlops || forced() != nullptr;
  const bool winograd = big && !exact && (v.kh == 3 || v.kh == 5) && v.kw == v.kh && v.cg() >= 8 && v.og() >= 8;
  const auto addWinograd = [&](WinogradTile tile, const char* whole, const char* cached) {
    if (!winograd) return;
    // By kernel, kLarge has threads share blocks. Where their cores share no cache that takes up to twice as long (and
    // a tenth less at best where they do), which one thread's time does not tell. Images have to divide evenly.
    const int64_t threads = maxThreads(), even = ceilDivide(v.n, threads) * threads;
    const bool shares = v.kind == ConvKind::kBackwardKernel && threads > 1 && 10 * even <= 11 * v.n &&
                        winogradSharesFit(v, threads, tile);
    if (!shares || forced() != nullptr) {
      list.push_back({whole, [tile](const Conv& w) { return makeWinograd(w, WinogradBlock::kLarge, tile); }});
    }
    list.push_back({cached, [tile](const Conv& w) {
                      return makeSharedGradient(
                          w, [tile](const Conv& share) { return makeWinograd(share, WinogradBlock::kCached, tile); });
                    }});
  };
  const auto addWinograds = [&] {
    addWinograd(WinogradTile::kSmall, "winograd", "winograd-cached");
    addWinograd(WinogradTile::kLarge, "winograd-large", "winograd-large-cached");
  };
  if (v.type != DType::kFloat32) {
    list.push_back({"onednn", [](const Conv& w) { return makeSharedGradient(w, makeOnednnConv); }});
    if (big) list.push_back({"matmul", [](const Conv& w) { return makeSharedGradient(w, makeMatmulConv); }});
    if (big && odd) {
      list.push_back({"onednn-blocked", [](const Conv& w) { return makeSharedGradient(w, makeOnednnBlockedConv); }});
    }
    if (big && v.cg() == 1 && v.og() == 1) {
      list.push_back({"filters", [](const Conv& w) { return withWideKernel(w, makeFiltersConv); }});
      list.push_back({"depthwise", [](const Conv& w) { return withWideKernel(w, makeDepthwiseConv); }});
    }
    addWinograds();
    // Processors without instructions for the type; Winograd is in the list already.
    list.push_back({"float32", [direct = exact || winograd, &stream, &winners](const Conv& w) {
                      return converting(w.operands(), choose(w.inFloat32(), direct, stream, winners));
                    }});
    return list;
  }
  if (v.cg() == 1 && v.og() == 1) {
    list.push_back({"filters", makeFiltersConv});
    list.push_back({"depthwise", makeDepthwiseConv});
  }
  addWinograds();
  list.push_back({"onednn", makeOnednnConv});
  if (big) list.push_back({"indirect", makeIndirectConv});
  if (big && odd) list.push_back({"onednn-blocked", makeOnednnBlockedConv});
  const bool pointwiseGradient = v.pointwise() && v.kind != ConvKind::kForward;
  if (!big || odd || pointwiseGradient || forced() != nullptr) list.push_back({"gemm", makeGemmConv});
  return list;
}

/**
 * The name of the fastest candidate, by processor time on one thread: with all threads, whatever else the machine does
 * would decide (measured: a busy neighbour costs a barrier a scheduler's tick of 4 ms). But where results leave the
 * caches it takes all of them to make memory as scarce as it will be. Where two are much the same, the one that stands
 * first: else noise would decide.
 */
std::string fastest(const Conv& v, const std::vector<Candidate>& list, Stream& stream) {
  const PreparedThreads::Scope threads(v.streams ? maxThreads() : 1);
  struct Entry {
    const char* name;
    KernelPtr kernel;
    double best = std::numeric_limits<double>::infinity();
  };
  std::vector<Entry> entries;
  for (const Candidate& candidate : list) {
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

KernelPtr choose(const Conv& v, bool exact, Stream& stream, Winners& winners) {
  const std::vector<Candidate> list = candidates(v, exact, stream, winners);
  if (forced() != nullptr) {
    for (const Candidate& candidate : list) {
      if (std::strcmp(candidate.name, forced()) != 0) continue;
      if (KernelPtr kernel = candidate.make(v)) return kernel;
    }
  }
  std::string key = v.key() + (exact ? " exact" : "") + " t" + std::to_string(maxThreads());
  for (const Candidate& candidate : list) key.append(" ").append(candidate.name);  // A new one is timed.
  if (const std::string* known = winners.find(key)) {
    for (const Candidate& candidate : list) {
      if (*known != candidate.name) continue;
      if (KernelPtr kernel = candidate.make(v)) return kernel;
    }
  }
  if (v.flops() < kTimedFlops) {
    for (const Candidate& candidate : list) {
      if (KernelPtr kernel = candidate.make(v)) return kernel;
    }
    return makeGemmConv(v);
  }
  const std::string winner = fastest(sampleOf(v), list, stream);
  winners.remember(key, winner);
  for (const Candidate& candidate : list) {
    if (winner != candidate.name) continue;
    if (KernelPtr kernel = candidate.make(v)) return kernel;
  }
  return makeGemmConv(v);
}

KernelPtr prepare(ConvKind kind, const Conv2dDesc& d, bool exact, Stream& stream, Winners& winners) {
  const Conv v = parse(kind, d);
  if (uses(d, DType::kFloat16)) return converting(d, prepare(kind, inFloat32(d), exact, stream, winners));
  if (v.n == 0) {
    // No images: nothing to write but gradients of the kernel, which are 0.
    std::vector<size_t> bytes;
    for (const TensorDesc& t : d.outputs) bytes.push_back(t.bytes());
    return makeKernel([bytes](const Pointers& p) {
      for (size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] > 0) std::memset(p.outputs[i], 0, bytes[i]);
      }
    });
  }
  return choose(v, exact, stream, winners);
}

constexpr int64_t kBiasRows = 256;  ///< Rows summed in float before they go to double.

template <class T>
FOVEA_INLINE void sumRowsOf(const T* dy, int64_t rows, int64_t o, double* total, float* partial) {
  for (int64_t j = 0; j < o; ++j) total[j] = 0;
  for (int64_t from = 0; from < rows; from += kBiasRows) {
    const int64_t to = std::min(from + kBiasRows, rows);
    for (int64_t j = 0; j < o; ++j) partial[j] = 0;
    for (int64_t i = from; i < to; ++i) {
      const T* v = dy + i * o;
#pragma omp simd
      for (int64_t j = 0; j < o; ++j) partial[j] += load(v[j]);
    }
    for (int64_t j = 0; j < o; ++j) total[j] += partial[j];
  }
}

FOVEA_CLONES void sumRows(const float* dy, int64_t rows, int64_t o, double* total, float* partial) {
  sumRowsOf(dy, rows, o, total, partial);
}
FOVEA_CLONES void sumRows(const BFloat16* dy, int64_t rows, int64_t o, double* total, float* partial) {
  sumRowsOf(dy, rows, o, total, partial);
}

size_t biasSlot(int64_t o) { return align64(o * sizeof(double)) + align64(o * sizeof(float)); }

FOVEA_CLONES void finishRow(float* y, int64_t o, const float* bias, const float* residual, bool relu) {
  if (bias != nullptr) {
#pragma omp simd
    for (int64_t j = 0; j < o; ++j) y[j] += bias[j];
  }
  if (residual != nullptr) {
#pragma omp simd
    for (int64_t j = 0; j < o; ++j) y[j] += residual[j];
  }
  if (relu) {
#pragma omp simd
    for (int64_t j = 0; j < o; ++j) y[j] = y[j] <= 0 ? 0.0f : y[j];
  }
}

}  // namespace

Operands Conv::operands() const {
  const TensorDesc x{type, {n, h, w, c}}, kernel{kernelType, {kh, kw, cg(), o}}, y{type, {n, oh, ow, o}};
  Operands d;
  switch (kind) {
    case ConvKind::kForward:
      d = {{x, kernel}, {y}};
      break;
    case ConvKind::kBackwardInput:
      d = {{y, kernel}, {x}};
      break;
    case ConvKind::kBackwardKernel:
      d = {{x, y}, {kernel}};
      break;
  }
  if (bias) (kind == ConvKind::kForward ? d.inputs : d.outputs).push_back({biasType, {o}});
  if (residual) d.inputs.push_back(y);
  return d;
}

Conv Conv::inFloat32() const {
  Conv v = *this;
  v.type = v.kernelType = v.biasType = DType::kFloat32;
  return v;
}

std::string Conv::key() const {
  std::string s = nameOf(kind);
  for (DType t : {type, kernelType, biasType}) s.append(" ").append(fovea::nameOf(t));
  for (int64_t i : {n, h, w, c, oh, ow, o, kh, kw, sh, sw, dh, dw, top, bottom, left, right, groups}) {
    s.append(" ").append(std::to_string(i));
  }
  return s + (bias ? " bias" : "") + (residual ? " residual" : "") + (relu ? " relu" : "") + (steady ? " steady" : "");
}

size_t biasScratch(int64_t o) { return biasSlot(o) * maxThreads(); }

template <class T>
void sumBias(const T* dy, int64_t rows, int64_t o, float* dbias, void* scratch) {
  const size_t slot = biasSlot(o), partial = align64(o * sizeof(double));
  const int threads = threadsFor(rows, o);
  for (int t = 0; t < threads; ++t) std::memset(at<char>(scratch, slot * t), 0, o * sizeof(double));
  parallelParts(rows, o, [&](int64_t begin, int64_t end, int thread) {
    sumRows(dy + begin * o, end - begin, o, at<double>(scratch, slot * thread),
            at<float>(scratch, slot * thread + partial));
  });
  for (int64_t j = 0; j < o; ++j) {
    double sum = 0;
    for (int t = 0; t < threads; ++t) sum += at<double>(scratch, slot * t)[j];
    dbias[j] = static_cast<float>(sum);
  }
}
template void sumBias(const float*, int64_t, int64_t, float*, void*);
template void sumBias(const BFloat16*, int64_t, int64_t, float*, void*);

void finishRows(float* y, int64_t rows, int64_t o, const float* bias, const float* residual, bool relu) {
  if (bias == nullptr && residual == nullptr && !relu) return;
  for (int64_t i = 0; i < rows; ++i) {
    finishRow(y + i * o, o, bias, residual == nullptr ? nullptr : residual + i * o, relu);
  }
}

KernelPtr CpuBackend::prepareConv2d(const Conv2dDesc& d) {
  return prepare(ConvKind::kForward, d, exact_, stream_, *winners_);
}

KernelPtr CpuBackend::prepareConv2dBackwardInput(const Conv2dDesc& d) {
  return prepare(ConvKind::kBackwardInput, d, exact_, stream_, *winners_);
}

KernelPtr CpuBackend::prepareConv2dBackwardKernel(const Conv2dDesc& d) {
  return prepare(ConvKind::kBackwardKernel, d, exact_, stream_, *winners_);
}

}  // namespace fovea::cpu
