#pragma once

#include <functional>
#include <memory>

#include "core/backend.h"
#include "cuda/context.h"

namespace fovea::cuda {

/** Captures what `launch` enqueues on the context's stream into a CUDA graph. Null when CUDA refuses; see Backend. */
std::unique_ptr<Recording> recordGraph(Context& context, const std::function<void()>& launch);

}  // namespace fovea::cuda
