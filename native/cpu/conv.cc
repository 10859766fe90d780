#include "cpu/conv.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "cpu/backend.h"
#include "cpu/conv_timing.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/parts.h"
#include "cpu/simd.h"
#include "cpu/streaming.h"
#include "cpu/winners.h"

/**
 * @file
 * Checks of the convolution kernels, and the choice among their implementations: large convolutions time the candidates
 * once (conv_timing.cc) and remember the winner by shape.
 */
namespace fovea::cpu {
namespace {

constexpr double kTimedFlops = 20e6;      ///< Smaller convolutions take the first candidate untimed.
constexpr int64_t kFewPositions = 512;    ///< Up to so many, reading the kernel takes as long as using it.
constexpr size_t kLargeKernel = 4 << 20;  ///< Networks of such do not stay in the caches.

Conv parse(ConvKind kind, const Conv2dDesc& d) {
  Conv v;
  static_cast<ConvGeometry&>(v) = parseConv(kind, d);
  v.streams = leavesCaches(v.operands().outputs[0].bytes());
  return v;
}

KernelPtr choose(const Conv& v, bool exact, Stream& stream, Winners& winners);

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
std::vector<ConvCandidate> candidates(const Conv& v, bool exact, Stream& stream, Winners& winners) {
  std::vector<ConvCandidate> list;
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
  const bool few = v.n * v.oh * v.ow <= kFewPositions;
  if (winograd && ((few && v.kind != ConvKind::kBackwardKernel) || forced() != nullptr)) {
    list.push_back(
        {"winograd-tiny", [](const Conv& w) { return makeWinograd(w, WinogradBlock::kLarge, WinogradTile::kTiny); }});
  }
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
  // A large kernel that is read for few positions takes longer to read than the one thread that is timed can tell: all
  // share the memory. What reads less stands first then.
  const bool bound = few && v.operands().inputs[1].bytes() >= kLargeKernel;
  if (!bound) addWinograds();
  // As fast where nothing is timed, and oneDNN would generate code for every shape, which takes it a millisecond.
  if (!big && v.kind == ConvKind::kForward && v.og() % 16 == 0 && v.sh == 1 && v.sw == 1) {
    list.push_back({"indirect", makeIndirectConv});
  }
  list.push_back({"onednn", makeOnednnConv});
  if (big) list.push_back({"indirect", makeIndirectConv});
  if (bound) addWinograds();
  if (big && odd) list.push_back({"onednn-blocked", makeOnednnBlockedConv});
  const bool pointwiseGradient = v.pointwise() && v.kind != ConvKind::kForward;
  if (!big || odd || pointwiseGradient || forced() != nullptr) list.push_back({"gemm", makeGemmConv});
  return list;
}

KernelPtr choose(const Conv& v, bool exact, Stream& stream, Winners& winners) {
  const std::vector<ConvCandidate> list = candidates(v, exact, stream, winners);
  if (forced() != nullptr) {
    for (const ConvCandidate& candidate : list) {
      if (std::strcmp(candidate.name, forced()) != 0) continue;
      if (KernelPtr kernel = candidate.make(v)) return kernel;
    }
  }
  std::string key = v.key() + (exact ? " exact" : "") + " t" + std::to_string(maxThreads());
  for (const ConvCandidate& candidate : list) key.append(" ").append(candidate.name);  // A new one is timed.
  if (const auto known = winners.find(key)) {
    for (const ConvCandidate& candidate : list) {
      if (*known != candidate.name) continue;
      if (KernelPtr kernel = candidate.make(v)) return kernel;
    }
  }
  if (v.flops() < kTimedFlops) {
    for (const ConvCandidate& candidate : list) {
      if (KernelPtr kernel = candidate.make(v)) return kernel;
    }
    return makeGemmConv(v);
  }
  const std::string winner = fastest(v, list, stream);
  winners.remember(key, winner);
  for (const ConvCandidate& candidate : list) {
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
