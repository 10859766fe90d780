#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "cpu/conv.h"
#include "cpu/conv_pieces.h"
#include "cpu/indirect_plan.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "native/kernel_cases.h"
#include "native/testing.h"

/**
 * @file
 * Every implementation of a convolution computes what im2col and a product do, whichever a backend would choose: shapes
 * here are too small to be timed, and the processor may not be the one for which a form of the vector code is meant
 * (FOVEA_SIMD).
 */
namespace fovea::test {
namespace {

using cpu::Conv;
using cpu::WinogradBlock;
using cpu::WinogradTile;

constexpr int kCases = 120;
constexpr double kTolerance = 1e-4;  ///< Of the largest element: Winograd's; the others are ten times closer.

struct Candidate {
  std::string name;
  cpu::ConvMaker make;
  bool narrow = false;  ///< Takes images of bfloat16 too: oneDNN's where the processor has instructions for it.

  /** None where it does not apply. */
  KernelPtr makeFor(const Conv& v) const {
    if (v.type != DType::kFloat32 && !narrow) return nullptr;
    // As in `candidates` of conv.cc: one channel in and out is what it is for.
    if (name == "depthwise" && (v.cg() != 1 || v.og() != 1)) return nullptr;
    return make(v);
  }
};

const std::vector<Candidate>& candidates() {
  static const std::vector<Candidate> all = {
      {"winograd", [](const Conv& v) { return cpu::makeWinogradConv(v, WinogradBlock::kLarge); }, true},
      {"winograd-cached",
       [](const Conv& v) {
         return cpu::makeSharedGradient(v,
                                        [](const Conv& s) { return cpu::makeWinogradConv(s, WinogradBlock::kCached); });
       },
       true},
      {"winograd-large",
       [](const Conv& v) { return cpu::makeWinogradConv(v, WinogradBlock::kLarge, WinogradTile::kLarge); }, true},
      {"winograd-large-cached",
       [](const Conv& v) {
         return cpu::makeSharedGradient(v, [](const Conv& s) {
           return cpu::makeWinogradConv(s, WinogradBlock::kCached, WinogradTile::kLarge);
         });
       },
       true},
      {"winograd-tiny",
       [](const Conv& v) { return cpu::makeWinogradConv(v, WinogradBlock::kLarge, WinogradTile::kTiny); }, true},
      {"onednn", cpu::makeOnednnConv, true},
      {"onednn-blocked", cpu::makeOnednnBlockedConv, true},
      {"matmul", cpu::makeMatmulConv, true},
      {"indirect", cpu::makeIndirectConv},
      {"depthwise", cpu::makeDepthwiseConv, true},
      {"filters", cpu::makeFiltersConv, true},
  };
  return all;
}

/** Squares of 1, 3 and 5 of stride 1 half of the time, and channels enough for several panels a third of it. */
Conv randomConv(ConvKind kind, std::mt19937& random) {
  const auto any = [&](int64_t least, int64_t most) { return pick(random, least, most); };
  Conv v;
  v.kind = kind;
  const bool plain = any(0, 1) == 0;
  v.kh = plain ? 1 + 2 * any(0, 2) : any(1, 5), v.kw = plain ? v.kh : any(1, 5);
  if (!plain) v.sh = any(1, 3), v.sw = any(1, 3);
  if (any(0, 3) == 0) v.dh = any(1, 2), v.dw = any(1, 2);
  const auto pad = [&](int64_t size) { return plain ? size / 2 : any(0, size - 1); };
  v.top = pad(v.kh), v.bottom = pad(v.kh), v.left = pad(v.kw), v.right = pad(v.kw);
  const int64_t tall = (v.kh - 1) * v.dh + 1, broad = (v.kw - 1) * v.dw + 1;
  v.n = any(1, 3), v.h = any(tall, tall + 14), v.w = any(broad, broad + 14);
  v.oh = (v.h + v.top + v.bottom - tall) / v.sh + 1, v.ow = (v.w + v.left + v.right - broad) / v.sw + 1;
  const int64_t most = any(0, 2) == 0 ? 80 : 24, style = any(0, 4);
  v.groups = style == 0 ? any(2, most) : style == 1 ? any(2, 3) : 1;
  v.c = v.groups * (style == 0 ? 1 : any(1, most)), v.o = v.groups * (style == 0 ? 1 : any(1, most));
  v.bias = kind != ConvKind::kBackwardInput && any(0, 1) == 0;
  v.residual = kind == ConvKind::kForward && any(0, 2) == 0;
  v.relu = kind == ConvKind::kForward && any(0, 1) == 0;
  return v;
}

/** Depthwise 3x3 of stride 1 with any padding: images of a single column, and channels that do not fill a vector. */
Conv randomFilters(ConvKind kind, std::mt19937& random) {
  const auto any = [&](int64_t least, int64_t most) { return pick(random, least, most); };
  Conv v;
  v.kind = kind;
  v.kh = v.kw = 3;
  v.top = any(0, 2), v.bottom = any(0, 2), v.left = any(0, 2), v.right = any(0, 2);
  v.n = any(1, 3), v.h = any(std::max<int64_t>(3 - v.top - v.bottom, 1), 9);
  v.w = any(std::max<int64_t>(3 - v.left - v.right, 1), 9);
  v.oh = v.h + v.top + v.bottom - 2, v.ow = v.w + v.left + v.right - 2;
  v.groups = v.c = v.o = any(4, 100);
  v.bias = kind != ConvKind::kBackwardInput && any(0, 1) == 0;
  v.residual = kind == ConvKind::kForward && any(0, 2) == 0;
  v.relu = kind == ConvKind::kForward && any(0, 1) == 0;
  return v;
}

/** 3x3 of stride 2 with any padding, on planes of no, one or several whole tiles. */
Conv randomStrided(ConvKind kind, std::mt19937& random) {
  const auto any = [&](int64_t least, int64_t most) { return pick(random, least, most); };
  Conv v;
  v.kind = kind;
  v.kh = v.kw = 3;
  v.sh = v.sw = 2;
  v.top = any(0, 2), v.bottom = any(0, 2), v.left = any(0, 2), v.right = any(0, 2);
  v.n = any(1, 3), v.h = any(3, 27), v.w = any(3, 27);
  v.oh = (v.h + v.top + v.bottom - 3) / 2 + 1, v.ow = (v.w + v.left + v.right - 3) / 2 + 1;
  v.c = any(1, 70), v.o = any(1, 70);
  v.bias = kind != ConvKind::kBackwardInput && any(0, 1) == 0;
  v.residual = kind == ConvKind::kForward && any(0, 2) == 0;
  v.relu = kind == ConvKind::kForward && any(0, 1) == 0;
  return v;
}

/** 3x3 and 5x5 of stride 1 on planes of several tiles, with fewer channels than positions. */
Conv randomPlanes(ConvKind kind, std::mt19937& random) {
  const auto any = [&](int64_t least, int64_t most) { return pick(random, least, most); };
  Conv v;
  v.kind = kind;
  v.kh = v.kw = any(0, 1) == 0 ? 3 : 5;
  v.top = any(0, 2), v.bottom = any(0, 2), v.left = any(0, 2), v.right = any(0, 2);
  v.n = any(2, 3), v.h = any(7, 30), v.w = any(7, 30);
  v.oh = v.h + v.top + v.bottom - v.kh + 1, v.ow = v.w + v.left + v.right - v.kw + 1;
  v.c = any(1, 36), v.o = any(1, 36);
  v.bias = kind != ConvKind::kBackwardInput && any(0, 1) == 0;
  v.residual = kind == ConvKind::kForward && any(0, 2) == 0;
  v.relu = kind == ConvKind::kForward && any(0, 1) == 0;
  return v;
}

/** Three of five are of the kinds that have code of their own. */
Conv randomCase(int i, ConvKind kind, std::mt19937& random) {
  switch (i % 5) {
    case 0:
      return randomFilters(kind, random);
    case 1:
      return randomStrided(kind, random);
    case 2:
      return randomPlanes(kind, random);
    default:
      return randomConv(kind, random);
  }
}

using Buffers = std::vector<std::vector<float>>;

/** A buffer an operand: of random numbers, or of a number that no result has. */
Buffers buffersFor(const std::vector<TensorDesc>& tensors, std::mt19937* random) {
  Buffers buffers;
  std::normal_distribution<float> normal;
  for (const TensorDesc& t : tensors) {
    std::vector<float>& data = buffers.emplace_back(static_cast<size_t>(t.size()), 1e30f);
    if (random != nullptr) {
      for (float& value : data) value = normal(*random);
    }
  }
  return buffers;
}

std::vector<BFloat16> rounded(const std::vector<float>& values) {
  std::vector<BFloat16> made(values.size());
  cpu::narrow(values.data(), made.data(), static_cast<int64_t>(values.size()));
  return made;
}

/** Runs the kernel on operands of its types: those of bfloat16 are rounded for it, and its results widened. */
Buffers compute(Kernel& kernel, const Conv& v, const Buffers& inputs) {
  const Operands operands = v.operands();
  Buffers outputs = buffersFor(operands.outputs, nullptr);
  std::vector<const void*> from;
  std::vector<void*> to;
  std::vector<std::vector<BFloat16>> narrow;
  narrow.reserve(inputs.size() + outputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool is = operands.inputs[i].dtype == DType::kBfloat16;
    from.push_back(is ? static_cast<const void*>(narrow.emplace_back(rounded(inputs[i])).data()) : inputs[i].data());
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const bool is = operands.outputs[i].dtype == DType::kBfloat16;
    to.push_back(is ? static_cast<void*>(narrow.emplace_back(rounded(outputs[i])).data()) : outputs[i].data());
  }
  // An allocation of its own, without a byte to spare.
  const size_t bytes = std::max<size_t>((kernel.workspaceBytes() + 63) / 64 * 64, 64);
  const std::unique_ptr<void, void (*)(void*)> workspace(std::aligned_alloc(64, bytes), std::free);
  static constexpr uint64_t kVersions[] = {1, 1, 1, 1};
  Stream stream;
  kernel.launch(stream, {from.data(), to.data(), workspace.get(), kVersions});
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (operands.outputs[i].dtype != DType::kBfloat16) continue;
    cpu::widen(static_cast<const BFloat16*>(to[i]), outputs[i].data(), static_cast<int64_t>(outputs[i].size()));
  }
  return outputs;
}

void compare(const std::string& name, const Conv& v, const Buffers& expected, const Buffers& received,
             double tolerance = kTolerance) {
  for (size_t i = 0; i < expected.size(); ++i) {
    double most = 1;
    for (const float value : expected[i]) most = std::max<double>(most, std::abs(value));
    for (size_t j = 0; j < expected[i].size(); ++j) {
      const double off = std::abs(static_cast<double>(expected[i][j]) - received[i][j]);
      if (off <= tolerance * most) continue;  // Not so for NaN.
      check(false, name + ": " + v.key() + ": output " + std::to_string(i) + "[" + std::to_string(j) + "] is off by " +
                       std::to_string(off) + " of " + std::to_string(most));
    }
  }
}

Test agree(ConvKind kind, unsigned seed) {
  return {std::string("candidates of ") + nameOf(kind) + " agree", [kind, seed] {
            std::mt19937 random(seed);
            std::vector<int> taken(candidates().size());
            for (int i = 0; i < kCases; ++i) {
              const Conv v = randomCase(i, kind, random);
              const Buffers inputs = buffersFor(v.operands().inputs, &random);
              const Buffers expected = compute(*cpu::makeGemmConv(v), v, inputs);
              for (size_t j = 0; j < candidates().size(); ++j) {
                const KernelPtr kernel = candidates()[j].makeFor(v);
                if (kernel == nullptr) continue;
                ++taken[j];
                compare(candidates()[j].name, v, expected, compute(*kernel, v, inputs));
              }
            }
            for (size_t j = 0; j < taken.size(); ++j) {
              const std::string& name = candidates()[j].name;
              const bool vectors = name == "indirect" || name.rfind("winograd", 0) == 0 || name == "filters";
              if (vectors && cpu::simd() == cpu::Simd::kNone) continue;
              // Other caches, AVX-512.
              const bool cached = name.rfind("cached") != std::string::npos && kind != ConvKind::kBackwardKernel;
              const bool elsewhere = cached || name == "matmul";
              check(taken[j] > 0 || elsewhere, name + " was never taken");
            }
          }};
}

/** The same with images of bfloat16: values that it holds exactly, and half a unit of its last place in the results. */
Test narrowAgree(ConvKind kind, unsigned seed) {
  return {std::string("bfloat16 candidates of ") + nameOf(kind) + " agree", [kind, seed] {
            std::mt19937 random(seed);
            std::map<std::string, int> taken;
            for (int i = 0; i < kCases; ++i) {
              Conv v = randomCase(i, kind, random);
              Buffers inputs = buffersFor(v.operands().inputs, &random);
              for (auto& data : inputs) {
                cpu::widen(rounded(data).data(), data.data(), static_cast<int64_t>(data.size()));
              }
              const Buffers expected = compute(*cpu::makeGemmConv(v), v, inputs);
              v.type = DType::kBfloat16;
              for (const Candidate& candidate : candidates()) {
                const KernelPtr kernel = candidate.makeFor(v);
                if (kernel == nullptr) continue;
                ++taken[candidate.name];
                compare(candidate.name, v, expected, compute(*kernel, v, inputs), kTolerance + 1.0 / 256);
              }
            }
            if (cpu::simd() == cpu::Simd::kNone) return;
            for (const char* name : {"winograd", "winograd-tiny", "winograd-large", "filters"}) {
              check(taken[name] > 0, std::string(name) + " was never taken");
            }
            check(taken["depthwise"] > 0 || kind != ConvKind::kBackwardKernel, "depthwise was never taken");
          }};
}

/** Pointwise ones whose pixels lie whole pages apart, and several blocks of rows a thread. */
Test pagesAgree() {
  return {"indirect convolutions copy pixels that are pages apart", [] {
            std::mt19937 random(8);
            for (const ConvKind kind : {ConvKind::kForward, ConvKind::kBackwardInput, ConvKind::kBackwardKernel}) {
              for (const int64_t stride : {1, 2}) {
                Conv v;
                v.kind = kind;
                v.kh = v.kw = 1, v.sh = v.sw = stride;
                v.n = 2, v.h = 19, v.w = 21, v.c = 1024 / stride, v.o = kind == ConvKind::kBackwardInput ? 1024 : 40;
                v.oh = (v.h - 1) / stride + 1, v.ow = (v.w - 1) / stride + 1;
                v.bias = v.residual = v.relu = kind == ConvKind::kForward;
                const Buffers inputs = buffersFor(v.operands().inputs, &random);
                const KernelPtr kernel = cpu::makeIndirectConv(v);
                if (kernel == nullptr) continue;  // No vectors.
                compare("indirect", v, compute(*cpu::makeGemmConv(v), v, inputs), compute(*kernel, v, inputs));
              }
            }
          }};
}

/** A result in memory that begins a line, as that of plans does, without a byte to spare. */
std::vector<float> computeAligned(Kernel& kernel, const Conv& v, const Buffers& inputs) {
  const auto size = static_cast<size_t>(v.operands().outputs[0].size());
  void* y = nullptr;
  check(posix_memalign(&y, 64, size * sizeof(float)) == 0, "no memory");
  const std::unique_ptr<void, void (*)(void*)> result(y, std::free);
  std::vector<char> workspace(kernel.workspaceBytes() + 64);
  std::vector<const void*> from;
  for (const auto& data : inputs) from.push_back(data.data());
  static constexpr uint64_t kVersions[] = {1, 1, 1, 1};
  Stream stream;
  void* at = workspace.data();
  size_t space = workspace.size();
  kernel.launch(stream, {from.data(), &y, std::align(64, space - 64, at, space), kVersions});
  return {static_cast<float*>(y), static_cast<float*>(y) + size};
}

/** Results that are written past the caches, in whole lines and not. */
Test streamsAgree() {
  return {"indirect convolutions stream their results", [] {
            std::mt19937 random(9);
            for (const ConvKind kind : {ConvKind::kForward, ConvKind::kBackwardInput}) {
              for (const int64_t channels : {48, 64, 50}) {
                Conv v;
                v.kind = kind;
                v.kh = v.kw = 1;
                v.n = 3, v.h = v.oh = 11, v.w = v.ow = 13, v.c = v.o = 40;
                (kind == ConvKind::kForward ? v.o : v.c) = channels;
                v.bias = v.residual = v.relu = kind == ConvKind::kForward;
                v.streams = true;
                const Buffers inputs = buffersFor(v.operands().inputs, &random);
                const KernelPtr kernel = cpu::makeIndirectConv(v);
                if (kernel == nullptr) continue;  // No vectors.
                check(cpu::indirectPlan(v).streams == (cpu::wide() && channels % 16 == 0), v.key() + ": whole lines");
                const Buffers expected = compute(*cpu::makeGemmConv(v), v, inputs);
                compare("aligned", v, expected, {computeAligned(*kernel, v, inputs)});
                compare("anywhere", v, expected, compute(*kernel, v, inputs));
              }
            }
          }};
}

/** oneDNN's in pieces: shapes large enough for several, of two sizes; with one thread none is cut. */
Test piecesAgree() {
  return {"pieces of a convolution make the whole", [] {
            std::mt19937 random(4);
            for (const ConvKind kind : {ConvKind::kForward, ConvKind::kBackwardInput}) {
              for (const int64_t size : {1, 3}) {
                Conv v;
                v.kind = kind;
                v.kh = v.kw = size;
                v.top = v.bottom = v.left = v.right = size / 2;
                v.n = 7, v.h = v.oh = 19, v.w = v.ow = 23, v.c = 64, v.o = 80;
                v.bias = v.residual = v.relu = kind == ConvKind::kForward;
                const Buffers inputs = buffersFor(v.operands().inputs, &random);
                const Buffers expected = compute(*cpu::makeGemmConv(v), v, inputs);
                for (const int threads : {1, 2, 3}) {
                  const cpu::PreparedThreads::Scope scope(threads);
                  check(cpu::Pieces(v).whole() == (threads == 1), v.key() + ": is not cut as it should be");
                  const KernelPtr kernel = cpu::makeOnednnConv(v);
                  check(kernel != nullptr, v.key() + ": oneDNN has none");
                  compare(std::to_string(threads) + " threads", v, expected, compute(*kernel, v, inputs));
                }
              }
            }
          }};
}

}  // namespace

std::vector<Test> convCandidateTests() {
  return {piecesAgree(),
          pagesAgree(),
          streamsAgree(),
          agree(ConvKind::kForward, 1),
          agree(ConvKind::kBackwardInput, 2),
          agree(ConvKind::kBackwardKernel, 3),
          narrowAgree(ConvKind::kForward, 5),
          narrowAgree(ConvKind::kBackwardInput, 6),
          narrowAgree(ConvKind::kBackwardKernel, 7)};
}

}  // namespace fovea::test
