#include <omp.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "cpu/conv.h"
#include "cpu/narrow.h"
#include "cpu/parallel.h"

/**
 * @file
 * The gradient by the kernel in shares: every thread runs a primitive of its own over its images, and the sums are
 * added up. oneDNN's threads meet at a spinning barrier for every few rows instead; where another process takes one of
 * the processors, each meeting waits for the scheduler (measured beside two busy neighbours: 60 ms for 5).
 */
namespace fovea::cpu {
namespace {

class SharedGradient final : public Kernel {
 public:
  SharedGradient(const Conv& v, std::vector<std::pair<Conv, KernelPtr>> parts) : conv_(v), parts_(std::move(parts)) {
    size_ = v.kh * v.kw * v.cg() * v.o;
    for (const auto& [part, kernel] : parts_) {
      Place place;
      place.kernel = layout_.take(sizeof(float) * size_);
      place.bias = layout_.take(v.bias ? sizeof(float) * v.o : 0);
      place.workspace = layout_.take(kernel->workspaceBytes());
      places_.push_back(place);
    }
  }

  size_t workspaceBytes() const override { return layout_.bytes(); }
  std::string implementation() const override { return parts_[0].second->implementation() + " in shares"; }

  void launch(Stream& stream, const Pointers& p) override {
    const auto scope = threads_.scope();
    const size_t element = bytesPerElement(conv_.type);
    const int64_t x = conv_.h * conv_.w * conv_.c, y = conv_.oh * conv_.ow * conv_.o;
    std::atomic<bool> failed = false;
    parallelFor(static_cast<int64_t>(parts_.size()), int64_t{1} << 20, [&](int64_t t) {
      int64_t first = 0;
      for (int64_t i = 0; i < t; ++i) first += parts_[i].first.n;
      const void* inputs[] = {in<char>(p, 0) + first * x * element, in<char>(p, 1) + first * y * element};
      void* outputs[] = {at<float>(p.workspace, places_[t].kernel), at<float>(p.workspace, places_[t].bias)};
      try {
        parts_[t].second->launch(stream, Pointers{inputs, outputs, at<char>(p.workspace, places_[t].workspace)});
      } catch (...) {
        failed = true;  // An exception may not leave the parallel region.
      }
    });
    if (failed) throw Error("ERR_EXECUTION", "conv2dBackwardKernel: a share failed to run");
    add(p, 0, conv_.kernelType, size_, &Place::kernel);
    if (conv_.bias) add(p, 1, conv_.biasType, conv_.o, &Place::bias);
  }

 private:
  struct Place {
    size_t kernel = 0, bias = 0, workspace = 0;
  };

  void add(const Pointers& p, size_t output, DType dtype, int64_t size, size_t Place::*offset) const {
    withFloatType(dtype, [&](auto* type) {
      auto* to = static_cast<decltype(type)>(p.outputs[output]);
      parallelRanges(size, static_cast<int64_t>(parts_.size()), [&](int64_t begin, int64_t end, int) {
        for (int64_t i = begin; i < end; ++i) {
          float sum = at<float>(p.workspace, places_[0].*offset)[i];
          for (size_t t = 1; t < places_.size(); ++t) sum += at<float>(p.workspace, places_[t].*offset)[i];
          store(to + i, sum);
        }
      });
    });
  }

  PreparedThreads threads_;
  Conv conv_;
  int64_t size_ = 0;
  std::vector<std::pair<Conv, KernelPtr>> parts_;
  std::vector<Place> places_;
  Layout layout_;
};

}  // namespace

KernelPtr makeSharedGradient(const Conv& v, const ConvMaker& make) {
  const int64_t count = std::min<int64_t>(maxThreads(), v.n);
  if (v.kind != ConvKind::kBackwardKernel || count < 2) return make(v);
  std::vector<std::pair<Conv, KernelPtr>> parts;
  {
    const PreparedThreads::Scope single(1);
    for (int64_t t = 0; t < count; ++t) {
      Conv part = v;
      part.n = v.n * (t + 1) / count - v.n * t / count;
      part.kernelType = part.biasType = DType::kFloat32;
      KernelPtr kernel = make(part);
      if (!kernel) return nullptr;
      parts.emplace_back(part, std::move(kernel));
    }
  }
  return std::make_unique<SharedGradient>(v, std::move(parts));
}

}  // namespace fovea::cpu
