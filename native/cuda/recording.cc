#include "cuda/recording.h"

#include <exception>
#include <utility>

#include "core/error.h"

namespace fovea::cuda {
namespace {

class GraphRecording final : public Recording {
 public:
  GraphRecording(Context& context, cudaGraphExec_t graph) : context_(context), graph_(graph) {}
  ~GraphRecording() override {
    if (context_.canGiveBack()) cudaGraphExecDestroy(graph_);
  }
  GraphRecording(const GraphRecording&) = delete;
  GraphRecording& operator=(const GraphRecording&) = delete;

  bool replay() override {
    context_.enter();
    try {
      context_.check(cudaGraphLaunch(graph_, context_.stream()), "cudaGraphLaunch", "a recorded plan");
    } catch (const Error& error) {
      if (error.code() == "ERR_DEVICE") throw;
      return false;
    }
    return true;
  }

 private:
  Context& context_;
  cudaGraphExec_t graph_;
};

}  // namespace

std::unique_ptr<Recording> recordGraph(Context& context, const std::function<void()>& launch) {
  // A device that cannot be entered is told of here, not taken for a launch that cannot be recorded.
  const Context::Entered entered(context);
  // Thread-local: the threads that make and read buffers meanwhile are not disturbed.
  if (cudaStreamBeginCapture(context.stream(), cudaStreamCaptureModeThreadLocal) != cudaSuccess) {
    cudaGetLastError();
    return nullptr;
  }
  bool launched = true;
  try {
    launch();
  } catch (const std::exception&) {
    launched = false;  // Told by the run without recording that follows.
  }
  cudaGraph_t graph = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(context.stream(), &graph);
  if (ended != cudaSuccess) {
    // Whatever went wrong, the stream must not stay in capture. (It says so once more when it is not.)
    cudaGraph_t rest = nullptr;
    if (cudaStreamEndCapture(context.stream(), &rest) == cudaSuccess && rest != nullptr) cudaGraphDestroy(rest);
  }
  cudaGraphExec_t executable = nullptr;
  const bool made = launched && ended == cudaSuccess && graph != nullptr &&
                    cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess;
  if (graph != nullptr) cudaGraphDestroy(graph);
  if (!made) {
    cudaGetLastError();
    return nullptr;
  }
  return std::make_unique<GraphRecording>(context, executable);
}

}  // namespace fovea::cuda
