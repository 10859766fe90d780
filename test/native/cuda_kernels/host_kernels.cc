#include "native/cuda_kernels/host_kernels.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "core/bfloat16.h"
#include "core/float16.h"
#include "native/testing.h"
#include "plan/kernel_table.h"

namespace fovea::test {
namespace {

constexpr size_t kAlignment = 64;

/** Memory of exactly `bytes` bytes, at least one, on a cache line. */
void* exact(size_t bytes) { return ::operator new (bytes, std::align_val_t{kAlignment}); }

std::vector<void*> pointers(const Memories& memories) {
  std::vector<void*> list;
  for (const auto& m : memories) list.push_back(m->data());
  return list;
}

}  // namespace

Backend& cpuBackend() {
  static const std::unique_ptr<Backend> backend = makeCpuBackend();
  return *backend;
}

cuda::CudaBackend& hostCuda() {
  static cuda::CudaBackend backend;
  return backend;
}

void Memory::Free::operator()(void* p) const { ::operator delete (p, std::align_val_t{kAlignment}); }

Memory::Memory(TensorDesc tensor, size_t shift) : tensor_(std::move(tensor)) {
  const size_t skip = shift * bytesPerElement(tensor_.dtype);
  block_.reset(exact(tensor_.bytes() + skip));
  data_ = static_cast<char*>(block_.get()) + skip;
  std::memset(data_, 0xff, tensor_.bytes());
}

double Memory::get(int64_t i) const {
  switch (tensor_.dtype) {
    case DType::kFloat32:
      return as<float>()[i];
    case DType::kInt32:
      return as<int32_t>()[i];
    case DType::kBfloat16:
      return toFloat(as<BFloat16>()[i]);
    case DType::kFloat16:
      return toFloat(as<Float16>()[i]);
    default:
      return as<uint8_t>()[i];
  }
}

void Memory::set(int64_t i, double value) {
  switch (tensor_.dtype) {
    case DType::kFloat32:
      as<float>()[i] = static_cast<float>(value);
      return;
    case DType::kInt32:
      as<int32_t>()[i] = static_cast<int32_t>(value);
      return;
    case DType::kBfloat16:
      as<BFloat16>()[i] = toBFloat16(static_cast<float>(value));
      return;
    case DType::kFloat16:
      as<Float16>()[i] = toFloat16(static_cast<float>(value));
      return;
    default:
      as<uint8_t>()[i] = static_cast<uint8_t>(value);
      return;
  }
}

std::vector<double> Memory::values() const {
  std::vector<double> list(static_cast<size_t>(tensor_.size()));
  for (size_t i = 0; i < list.size(); ++i) list[i] = get(static_cast<int64_t>(i));
  return list;
}

void Memory::fill(const std::vector<double>& values) {
  check(values.size() == static_cast<size_t>(tensor_.size()), "as many values as elements");
  for (size_t i = 0; i < values.size(); ++i) set(static_cast<int64_t>(i), values[i]);
}

void randomize(Memory& memory, int64_t bound, std::mt19937& random) {
  std::normal_distribution<double> normal;
  for (int64_t i = 0; i < memory.tensor().size(); ++i) {
    if (isFloat(memory.tensor().dtype)) {
      memory.set(i, normal(random));
    } else if (memory.tensor().dtype == DType::kInt32) {
      memory.set(i, static_cast<double>(pick(random, 0, std::max<int64_t>(bound, 1) - 1)));
    } else {
      memory.set(i, static_cast<double>(pick(random, 0, 1)));
    }
  }
}

void runOn(Backend& backend, const KernelCase& c, const Memories& inputs, const Memories& outputs) {
  const KernelEntry* entry = findKernel(c.kernel);
  check(entry != nullptr, "a kernel " + c.kernel);
  StepDesc step;
  step.kernel = step.op = c.kernel;
  step.attributes = c.attributes;
  const KernelPtr kernel = entry->bind(step, Operands{c.inputs, c.outputs})(backend);
  const std::vector<void*> ins = pointers(inputs), outs = pointers(outputs);
  const std::vector<const void*> constIns(ins.begin(), ins.end());
  const std::unique_ptr<void, void (*)(void*)> workspace(
      exact(kernel->workspaceBytes()), [](void* p) { ::operator delete (p, std::align_val_t{kAlignment}); });
  std::memset(workspace.get(), 0xff, kernel->workspaceBytes());
  bool inPlace = false;
  for (void* o : outs) {
    for (void* i : ins) inPlace = inPlace || o == i;
  }
  for (int run = 0; run < (inPlace ? 1 : 2); ++run) {
    kernel->launch(backend.stream(), Pointers{constIns.data(), outs.data(), workspace.get()});
    backend.synchronize();
  }
}

KernelCase withFloats(const KernelCase& c, DType to) {
  const auto starts = [&](const char* prefix) { return c.kernel.rfind(prefix, 0) == 0; };
  KernelCase result = c;
  if (starts("softmax") || starts("logSoftmax") || starts("sparseSoftmax") || starts("random")) return result;
  const auto replace = [&](std::vector<TensorDesc>& list, size_t from, size_t end) {
    for (size_t i = from; i < std::min(end, list.size()); ++i) {
      if (list[i].dtype == DType::kFloat32) list[i].dtype = to;
    }
  };
  if (starts("batchNorm")) {  // The parameters stay.
    replace(result.inputs, 0, 1);
    replace(result.inputs, 4, 6);
    replace(result.outputs, 0, 1);
  } else {
    replace(result.inputs, 0, result.inputs.size());
    replace(result.outputs, 0, result.outputs.size());
  }
  return result;
}

std::string describe(const KernelCase& c) {
  std::string text = c.kernel;
  for (const TensorDesc& t : c.inputs) text += " " + fovea::describe(t);
  text += " ->";
  for (const TensorDesc& t : c.outputs) text += " " + fovea::describe(t);
  const auto found = c.attributes.find("opcodes");
  if (found != c.attributes.end()) {
    for (const std::string& op : std::get<std::vector<std::string>>(found->second)) text += " " + op;
  }
  return text;
}

void checkClose(const std::vector<double>& received, const std::vector<double>& expected, double tolerance,
                const std::string& what) {
  check(received.size() == expected.size(), what + ": as many elements");
  for (size_t i = 0; i < received.size(); ++i) {
    const double r = received[i], e = expected[i];
    if (r == e || (std::isnan(r) && std::isnan(e))) continue;
    const bool close =
        std::isfinite(r) && std::isfinite(e) && std::fabs(r - e) <= tolerance * std::max(1.0, std::fabs(e));
    char numbers[96];
    std::snprintf(numbers, sizeof numbers, "%.9g, expected %.9g", r, e);
    check(close, what + ": element " + std::to_string(i) + " is " + numbers);
  }
}

}  // namespace fovea::test
