#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "addon/buffer.h"
#include "addon/wrap.h"
#include "plan/registry.h"

/** @file Buffers that the engine reads from a file: their elements never pass through JavaScript. */
namespace fovea {
namespace {

constexpr size_t kAtOnce = size_t{16} << 20;  ///< Bytes of one read; between two the engine may end.

/** An open file of our own: whose descriptor it was may close it. */
class File {
 public:
  explicit File(int64_t descriptor)
      : own_(descriptor >= 0 && descriptor <= INT32_MAX ? fcntl(static_cast<int>(descriptor), F_DUPFD_CLOEXEC, 0)
                                                        : -1) {}
  ~File() {
    if (open()) close(own_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool open() const { return own_ >= 0; }

  /** Throws ERR_FILE when it has fewer bytes there. */
  void read(void* to, size_t bytes, size_t position) const {
    for (size_t done = 0; done < bytes;) {
      const ssize_t count =
          pread(own_, static_cast<std::byte*>(to) + done, bytes - done, static_cast<off_t>(position + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw Error("ERR_FILE", std::strerror(errno));
      if (count == 0) {
        throw Error("ERR_FILE", "expected " + std::to_string(bytes) + " bytes at " + std::to_string(position) +
                                    ", received " + std::to_string(done) + " (truncated?)");
      }
      done += static_cast<size_t>(count);
    }
  }

 private:
  const int own_;
};

/** Makes the memory of a buffer and fills it. */
class LoadJob : public Job {
 public:
  LoadJob(Device& device, DType dtype, size_t size, std::unique_ptr<File> file, size_t position,
          std::shared_ptr<Outbox> outbox, uint64_t id)
      : device_(device),
        dtype_(dtype),
        size_(size),
        file_(std::move(file)),
        position_(position),
        outbox_(std::move(outbox)),
        id_(id) {}

  void run(const std::atomic<bool>& stopping) noexcept override {
    auto completion = std::make_unique<Completion>();
    completion->id = id_;
    try {
      completion->memory = load(StopSignal(stopping, outbox_->closed()));
    } catch (const Error& error) {
      completion->error = error;
    } catch (const std::exception& error) {
      completion->error = Error("ERR_EXECUTION", error.what());
    }
    outbox_->send(std::move(completion));
  }

 private:
  std::shared_ptr<DeviceMemory> load(const StopSignal& stop) const {
    if (stop.raised()) throwStopped();
    auto memory = std::make_shared<DeviceMemory>(device_, dtype_, size_);
    Backend& backend = device_.backend();
    const std::unique_ptr<std::byte[]> between(backend.onHost() ? nullptr
                                                                : new std::byte[std::min(memory->bytes(), kAtOnce)]);
    for (size_t done = 0; done < memory->bytes(); done += kAtOnce) {
      if (stop.raised()) throwStopped();
      const size_t bytes = std::min(memory->bytes() - done, kAtOnce);
      std::byte* to = static_cast<std::byte*>(memory->data()) + done;
      file_->read(between ? between.get() : to, bytes, position_ + done);
      if (between) backend.copyToDevice(to, between.get(), bytes);
    }
    return memory;
  }

  Device& device_;
  const DType dtype_;
  const size_t size_;
  const std::unique_ptr<File> file_;
  const size_t position_;
  const std::shared_ptr<Outbox> outbox_;
  const uint64_t id_;
};

}  // namespace

Napi::Value loadBuffer(const Napi::CallbackInfo& info) {
  Device& device = Registry::instance().find(toText(info[0], "loadBuffer: device"));
  const DType dtype = toDType(info[1], "loadBuffer: dtype");
  const size_t size = toSize(info[2], "loadBuffer: size");
  auto file = std::make_unique<File>(toInteger(info[3], "loadBuffer: file"));
  if (!file->open()) refuseArgument("loadBuffer: file", "the descriptor of an open file", info[3]);
  const size_t position = toSize(info[4], "loadBuffer: position");
  Completions& completions = Environment::of(info.Env()).completions;
  uint64_t id;
  const napi_value promise = completions.expect(id);
  device.engine().post(
      std::make_unique<LoadJob>(device, dtype, size, std::move(file), position, completions.outbox(), id));
  return Napi::Value(info.Env(), promise);
}

}  // namespace fovea
