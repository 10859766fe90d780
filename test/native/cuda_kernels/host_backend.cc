#include "core/error.h"
#include "cuda/backend.h"

/** @file The parts of CudaBackend that are not kernels of our own, for a device that is the host. */
namespace fovea::cuda {

class ConvPlans {};
class Staging {};

CudaBackend::CudaBackend(int, const PluginSettings&) : context_(std::make_unique<Context>()) {
  info_.name = info_.kind = "cuda";
}
CudaBackend::~CudaBackend() = default;

Stream& CudaBackend::stream() { return *context_; }
void* CudaBackend::allocate(size_t bytes) { return ::operator new(bytes); }
void CudaBackend::free(void* pointer, size_t) noexcept { ::operator delete(pointer); }
void CudaBackend::copyToDevice(void* to, const void* from, size_t bytes) { std::memcpy(to, from, bytes); }
void CudaBackend::copyToHost(void* to, const void* from, size_t bytes) { std::memcpy(to, from, bytes); }
void CudaBackend::zero(void* to, size_t bytes) { std::memset(to, 0, bytes); }
void CudaBackend::synchronize() { context_->synchronize(); }
void CudaBackend::preparing(const std::string&, const std::string&) {}

#define FOVEA_ELSEWHERE(method, desc) \
  KernelPtr CudaBackend::method(const desc&) { throw Error("ERR_UNSUPPORTED", #method " needs cuDNN or cuBLAS"); }
FOVEA_ELSEWHERE(prepareConv2d, Conv2dDesc)
FOVEA_ELSEWHERE(prepareConv2dBackwardInput, Conv2dDesc)
FOVEA_ELSEWHERE(prepareConv2dBackwardKernel, Conv2dDesc)
FOVEA_ELSEWHERE(prepareMatmul, MatmulDesc)
#undef FOVEA_ELSEWHERE

}  // namespace fovea::cuda
