#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <string>

#include "core/error.h"

/**
 * @file
 * Statuses as words. `Context::check` throws them: it alone knows the device and whether it is dead.
 */
namespace fovea::cuda {

/** "an illegal memory access was encountered (cudaErrorIllegalAddress, 700)". */
std::string statusText(cudaError_t status);
/** The same for cuDNN, with what its log of the last error on this thread says. */
std::string statusText(cudnnStatus_t status);
std::string statusText(cublasStatus_t status);

/** Whether no call of this process can succeed on the device after `status`. */
bool isSticky(cudaError_t status);

/** The FoveaErrorCode of a status. */
const char* errorCode(cudaError_t status);
const char* errorCode(cudnnStatus_t status);
const char* errorCode(cublasStatus_t status);

}  // namespace fovea::cuda
