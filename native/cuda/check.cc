#include "cuda/check.h"

#include <string>

namespace fovea::cuda {

std::string statusText(cudaError_t status) {
  return std::string(cudaGetErrorString(status)) + " (" + cudaGetErrorName(status) + ", " +
         std::to_string(static_cast<int>(status)) + ")";
}

std::string statusText(cudnnStatus_t status) {
  char last[512] = {};
  cudnnGetLastErrorString(last, sizeof last);
  std::string text = std::string(cudnnGetErrorString(status)) + " (" + std::to_string(static_cast<int>(status)) + ")";
  if (last[0] != '\0') text.append(": ").append(last);
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

std::string statusText(cublasStatus_t status) {
  return std::string(cublasGetStatusString(status)) + " (" + std::to_string(static_cast<int>(status)) + ")";
}

bool isSticky(cudaError_t status) {
  switch (status) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorMpsClientTerminated:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
#if CUDART_VERSION >= 13000
    case cudaErrorTensorMemoryLeak:
    case cudaErrorContained:
#endif
      return true;
    default:
      return false;
  }
}

const char* errorCode(cudaError_t status) {
  switch (status) {
    case cudaErrorMemoryAllocation:
      return "ERR_OUT_OF_MEMORY";
    case cudaErrorInsufficientDriver:
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
    case cudaErrorInitializationError:
    case cudaErrorDevicesUnavailable:
    case cudaErrorNoKernelImageForDevice:
      return "ERR_DEVICE";
    default:
      return isSticky(status) ? "ERR_DEVICE" : "ERR_EXECUTION";
  }
}

const char* errorCode(cudnnStatus_t status) {
  switch (status / 1000) {
    case 1:  // NOT_INITIALIZED and versions that do not match.
      return "ERR_DEVICE";
    case 4:
      return status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
                     status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED
                 ? "ERR_OUT_OF_MEMORY"
                 : "ERR_EXECUTION";
    default:
      return "ERR_EXECUTION";
  }
}

const char* errorCode(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_NOT_INITIALIZED:
    case CUBLAS_STATUS_ARCH_MISMATCH:
      return "ERR_DEVICE";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "ERR_OUT_OF_MEMORY";
    default:
      return "ERR_EXECUTION";
  }
}

}  // namespace fovea::cuda
