#include "emulator/api.h"

/** @file Streams, events, captures and graphs of the emulated runtime. */

using namespace fovea::emulator;  // NOLINT: this file defines the C functions of another library

namespace {

Runtime& runtime() { return Runtime::instance(); }

}  // namespace

extern "C" {

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  return call("cudaStreamCreate", During::kAlways, [&](const Fault&) {
    if (!stream || flags > cudaStreamNonBlocking) return cudaErrorInvalidValue;
    *stream = runtime().createStream(flags != cudaStreamNonBlocking);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return cudaStreamCreateWithPriority(stream, flags, 0);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return call("cudaStreamDestroy", During::kAlways, [&](const Fault&) {
    if (!runtime().isStream(stream)) return cudaErrorInvalidResourceHandle;
    runtime().destroyStream(stream);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return call("cudaStreamSynchronize", During::kNoCapture, [&](const Fault&) {
    if (!stream) {
      runtime().finishAll();
    } else if (!runtime().isStream(stream)) {
      return cudaErrorInvalidResourceHandle;
    } else {
      runtime().finish(stream);
    }
    return runtime().sticky();
  });
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return call("cudaStreamQuery", During::kNoCapture, [&](const Fault&) {
    if (!runtime().isStream(stream)) return cudaErrorInvalidResourceHandle;
    if (runtime().idle(stream)) return cudaSuccess;
    runtime().advance();
    return cudaErrorNotReady;
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  return call("cudaStreamWaitEvent", During::kAlways, [&](const Fault&) {
    if (!runtime().isStream(stream) || !runtime().isEvent(event)) return cudaErrorInvalidResourceHandle;
    return runtime().wait(stream, event);
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return call("cudaEventCreate", During::kAlways, [&](const Fault&) {
    if (!event) return cudaErrorInvalidValue;
    *event = runtime().createEvent((flags & cudaEventDisableTiming) == 0);
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return call("cudaEventDestroy", During::kAlways, [&](const Fault&) {
    if (!runtime().isEvent(event)) return cudaErrorInvalidResourceHandle;
    runtime().destroyEvent(event);
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return call("cudaEventRecord", During::kAlways, [&](const Fault&) {
    if (!runtime().isEvent(event) || (stream && !runtime().isStream(stream))) return cudaErrorInvalidResourceHandle;
    return runtime().record(event, stream);
  });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return call("cudaEventQuery", During::kAlways, [&](const Fault&) {
    if (!runtime().isEvent(event)) return cudaErrorInvalidResourceHandle;
    if (event->capture) return cudaErrorCapturedEvent;
    if (event->reached >= event->recorded) return cudaSuccess;
    runtime().advance();
    return cudaErrorNotReady;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return call("cudaEventSynchronize", During::kNoCapture, [&](const Fault&) {
    if (!runtime().isEvent(event)) return cudaErrorInvalidResourceHandle;
    if (event->capture) return cudaErrorCapturedEvent;
    runtime().finish(event);
    return runtime().sticky();
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return call("cudaEventElapsedTime", During::kAlways, [&](const Fault&) {
    if (!runtime().isEvent(start) || !runtime().isEvent(end)) return cudaErrorInvalidResourceHandle;
    if (!start->timing || !end->timing || start->recorded == 0 || end->recorded == 0) {
      return cudaErrorInvalidResourceHandle;
    }
    if (start->reached < start->recorded || end->reached < end->recorded) return cudaErrorNotReady;
    *milliseconds = std::chrono::duration<float, std::milli>(end->when - start->when).count();
    return cudaSuccess;
  });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
  return call("cudaLaunchHostFunc", During::kAlways, [&](const Fault&) {
    if (!function) return cudaErrorInvalidValue;
    if (stream && !runtime().isStream(stream)) return cudaErrorInvalidResourceHandle;
    runtime().enqueue(stream, [=] {
      function(data);
      return cudaSuccess;
    });
    return cudaSuccess;
  });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return call("cudaStreamBeginCapture", During::kAlways, [&](const Fault&) {
    if (stream && !runtime().isStream(stream)) return cudaErrorInvalidResourceHandle;
    return runtime().beginCapture(stream, mode);
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  bool ended = false;
  const cudaError_t error = call("cudaStreamEndCapture", During::kAlways, [&](const Fault&) {
    if (!graph) return cudaErrorInvalidValue;
    if (!runtime().isStream(stream)) return cudaErrorInvalidResourceHandle;
    ended = true;
    return runtime().endCapture(stream, graph);
  });
  // A capture that is injected with a fault ends as a spoilt one does.
  const std::lock_guard lock(runtime().mutex());
  if (error && !ended && runtime().isStream(stream) && stream->capture) {
    cudaGraph_t spoilt = nullptr;
    stream->capture->invalid = true;
    runtime().endCapture(stream, &spoilt);
  }
  return error;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return call("cudaStreamIsCapturing", During::kAlways, [&](const Fault&) {
    if (!status || (stream && !runtime().isStream(stream))) return cudaErrorInvalidValue;
    *status = !stream || !stream->capture ? cudaStreamCaptureStatusNone
              : stream->capture->invalid  ? cudaStreamCaptureStatusInvalidated
                                          : cudaStreamCaptureStatusActive;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  return call("cudaGraphInstantiate", During::kNoCapture, [&](const Fault&) {
    if (!executable || !graph) return cudaErrorInvalidValue;
    *executable = new CUgraphExec_st{graph->items};
    runtime().count("executable graphs", 1);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  return call("cudaGraphLaunch", During::kAlways, [&](const Fault& fault) {
    if (!executable || (stream && !runtime().isStream(stream))) return cudaErrorInvalidValue;
    if (fault.late) {
      runtime().enqueue(stream, orFault(fault, nullptr));
    } else {
      runtime().launch(executable->items, stream);
    }
    return cudaSuccess;
  });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  return call("cudaGraphGetNodes", During::kAlways, [&](const Fault&) {
    if (!graph || !count || nodes) return nodes ? cudaErrorNotSupported : cudaErrorInvalidValue;
    *count = graph->items.size();
    return cudaSuccess;
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return call("cudaGraphDestroy", During::kAlways, [&](const Fault&) {
    if (!graph) return cudaErrorInvalidValue;
    delete graph;
    runtime().count("graphs", -1);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return call("cudaGraphExecDestroy", During::kAlways, [&](const Fault&) {
    if (!executable) return cudaErrorInvalidValue;
    delete executable;
    runtime().count("executable graphs", -1);
    return cudaSuccess;
  });
}

}  // extern "C"
