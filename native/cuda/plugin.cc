#include "core/plugin.h"

#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <string>

#include "cuda/backend.h"
#include "cuda/check.h"

/** @file The one symbol that the plugin exports. */
namespace fovea::cuda {
namespace {

/** From here on cuDNN makes plans from the description of a device alone, which is how they are tested. */
constexpr size_t kLeastCudnn = 90800;

std::string cudnnProblem() {
  if (cudnnGetVersion() < kLeastCudnn) return "expected cuDNN 9.8 or later";
  // libcudnn.so.9 loads its parts from its own folder; asked here, a part that is missing shows here.
  if (const cudnnStatus_t status = cudnnGraphVersionCheck(); status != CUDNN_STATUS_SUCCESS) {
    return "cuDNN's graph library: " + statusText(status);
  }
  if (const cudnnStatus_t status = cudnnOpsVersionCheck(); status != CUDNN_STATUS_SUCCESS) {
    return "cuDNN's ops library: " + statusText(status);
  }
  if (const cudnnStatus_t status = cudnnCnnVersionCheck(); status != CUDNN_STATUS_SUCCESS) {
    return "cuDNN's cnn library: " + statusText(status);
  }
  return "";
}

PluginProbe probe() {
  PluginProbe result;
  result.versions = libraryVersions();
  result.reason = cudnnProblem();
  if (!result.reason.empty()) {
    result.reason += ", received " + result.versions;
    result.remedy = "Install cuDNN 9.8 or later, whole and of one version, or run npm run cuda:sdk";
    return result;
  }
  int count = 0;  // Not written where there is no driver.
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) {
    cudaGetLastError();
    result.reason = "cudaGetDeviceCount: " + statusText(status) + ", with " + result.versions;
    int driver = 0;
    cudaDriverGetVersion(&driver);
    if (driver != 0) {
      result.reason += ", driver for CUDA " + std::to_string(driver / 1000) + "." + std::to_string(driver % 1000 / 10);
    }
    if (status == cudaErrorInsufficientDriver) {
      result.remedy = driver == 0 ? "Install NVIDIA's driver" : "Update NVIDIA's driver";
    } else if (status == cudaErrorNoDevice) {
      result.remedy = "Look at CUDA_VISIBLE_DEVICES, and whether nvidia-smi lists a device";
    } else {
      result.remedy = "Look whether nvidia-smi works";
    }
    return result;
  }
  if (count == 0) {
    result.reason = "the driver lists no device";
    result.remedy = "Look at CUDA_VISIBLE_DEVICES, and whether nvidia-smi lists a device";
  }
  result.devices = count;
  return result;
}

std::unique_ptr<Backend> make(int ordinal, const PluginSettings& settings) {
  return std::make_unique<CudaBackend>(ordinal, settings);
}

constexpr CudaPlugin kPlugin{kPluginAbi, kPluginCompiler, probe, make};

}  // namespace
}  // namespace fovea::cuda

extern "C" __attribute__((visibility("default"))) const fovea::CudaPlugin* fovea_cuda_plugin() {
  return &fovea::cuda::kPlugin;
}
