#include "addon/buffer.h"

#include <cstring>
#include <utility>

#include "addon/wrap.h"
#include "plan/registry.h"

namespace fovea {
namespace {

/** Reads of up to this many bytes are done at the call where nothing queued uses the buffer. */
constexpr size_t kReadAtOnce = 64 * 1024;

void reportMemory(napi_env env, int64_t change) {
  int64_t total;
  napi_adjust_external_memory(env, change, &total);
}

const std::shared_ptr<DeviceMemory>& memoryOf(const BufferObject& buffer, const char* method) {
  if (!buffer.memory()) {
    throw Error("ERR_DISPOSED", std::string("Buffer.") + method + ": the buffer has been disposed");
  }
  return buffer.memory();
}

/** A new typed array, and where its elements are. */
std::pair<Napi::Value, void*> newArray(Napi::Env env, const DeviceMemory& memory) {
  void* data = nullptr;
  napi_value buffer, array;
  checkStatus(env, napi_create_arraybuffer(env, memory.bytes(), &data, &buffer));
  checkStatus(env, napi_create_typedarray(env, typedArrayType(memory.dtype()), memory.size(), buffer, 0, &array));
  return {Napi::Value(env, array), data};
}

/** Copies the contents to the host; throws the error of the run that failed to make them. */
void copyOut(const DeviceMemory& memory, void* to) {
  if (memory.failure) throw Error(*memory.failure);
  if (memory.bytes() > 0) memory.device().backend().copyToHost(to, memory.data(), memory.bytes());
}

/** Replaces the contents of a buffer that queued work uses. */
class WriteJob : public Job {
 public:
  WriteJob(std::shared_ptr<DeviceMemory> memory, const void* data)
      : memory_(std::move(memory)), data_(new std::byte[memory_->bytes()]) {
    std::memcpy(data_.get(), data, memory_->bytes());
  }
  void run(const std::atomic<bool>& stopping) noexcept override {
    if (stopping) return;
    memory_->failure = nullptr;
    memory_->changes();
    try {
      memory_->device().backend().copyToDevice(memory_->data(), data_.get(), memory_->bytes());
    } catch (const std::exception&) {
      // A device that cannot copy says so again at the next run or read, which have someone to tell.
    }
  }

 private:
  DeviceMemory::Use memory_;
  const std::unique_ptr<std::byte[]> data_;
};

/** Copies a buffer into an ArrayBuffer that the promise's owner keeps alive. */
class ReadJob : public Job {
 public:
  ReadJob(std::shared_ptr<DeviceMemory> memory, void* to, std::shared_ptr<Outbox> outbox, uint64_t id)
      : memory_(std::in_place, std::move(memory)), to_(to), outbox_(std::move(outbox)), id_(id) {}
  void run(const std::atomic<bool>& stopping) noexcept override {
    auto completion = std::make_unique<Completion>();
    completion->id = id_;
    try {
      if (stopping) throwStopped();
      outbox_->whileOpen([&] { copyOut(**memory_, to_); });
    } catch (const Error& error) {
      completion->error = error;
    } catch (const std::exception& error) {
      completion->error = Error("ERR_EXECUTION", error.what());
    }
    memory_.reset();
    outbox_->send(std::move(completion));
  }

 private:
  std::optional<DeviceMemory::Use> memory_;
  void* const to_;
  const std::shared_ptr<Outbox> outbox_;
  const uint64_t id_;
};

Napi::Value write(const Napi::CallbackInfo& info) {
  const std::shared_ptr<DeviceMemory>& memory = memoryOf(thisOf<BufferObject>(info, "write"), "write");
  const void* data = toElements(info[0], memory->dtype(), memory->size(), "Buffer.write: data");
  if (memory->bytes() > 0) {
    if (memory->busy()) {
      memory->device().engine().post(std::make_unique<WriteJob>(memory, data));
    } else {
      memory->failure = nullptr;
      memory->changes();
      memory->device().backend().copyToDevice(memory->data(), data, memory->bytes());
    }
  }
  return info.Env().Undefined();
}

Napi::Value read(const Napi::CallbackInfo& info) {
  const std::shared_ptr<DeviceMemory>& memory = memoryOf(thisOf<BufferObject>(info, "read"), "read");
  const auto [array, data] = newArray(info.Env(), *memory);
  if (!memory->busy() && memory->bytes() <= kReadAtOnce) {
    const auto deferred = Napi::Promise::Deferred::New(info.Env());
    try {
      copyOut(*memory, data);
      deferred.Resolve(array);
    } catch (const Error& error) {
      deferred.Reject(toJs(info.Env(), error).Value());
    }
    return deferred.Promise();
  }
  Completions& completions = Environment::of(info.Env()).completions;
  uint64_t id;
  const napi_value promise = completions.expect(id, array);
  memory->device().engine().post(std::make_unique<ReadJob>(memory, data, completions.outbox(), id));
  return Napi::Value(info.Env(), promise);
}

Napi::Value readSync(const Napi::CallbackInfo& info) {
  const std::shared_ptr<DeviceMemory>& memory = memoryOf(thisOf<BufferObject>(info, "readSync"), "readSync");
  const auto [array, data] = newArray(info.Env(), *memory);
  if (memory->busy()) {
    memory->device().call([&memory, to = data](const std::atomic<bool>&) { copyOut(*memory, to); });
  } else {
    copyOut(*memory, data);
  }
  return array;
}

Napi::Value dispose(const Napi::CallbackInfo& info) {
  thisOf<BufferObject>(info, "dispose").dispose(info.Env());
  return info.Env().Undefined();
}

Napi::Value dtype(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), nameOf(thisOf<BufferObject>(info, "dtype").dtype()));
}

Napi::Value size(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(thisOf<BufferObject>(info, "size").size()));
}

Napi::Value device(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), thisOf<BufferObject>(info, "device").device().backend().info().name);
}

}  // namespace

BufferObject::BufferObject(Napi::Env env, std::shared_ptr<DeviceMemory> memory)
    : dtype_(memory->dtype()), size_(memory->size()), device_(memory->device()), memory_(std::move(memory)) {
  reportMemory(env, static_cast<int64_t>(memory_->bytes()));
}

void BufferObject::dispose(napi_env env) {
  if (!memory_) return;
  reportMemory(env, -static_cast<int64_t>(memory_->bytes()));
  memory_.reset();
}

void defineBufferClass(Napi::Env env) {
  defineClass<BufferObject>(
      env, {getter<dtype>("dtype"), getter<size>("size"), getter<device>("device"), method<write>("write"),
            method<read>("read"), method<readSync>("readSync"), method<dispose>("dispose")});
}

Napi::Value toJs(Napi::Env env, std::shared_ptr<DeviceMemory> memory) {
  return wrap(env, std::make_unique<BufferObject>(env, std::move(memory)));
}

Napi::Value createBuffer(const Napi::CallbackInfo& info) {
  Device& device = Registry::instance().find(toText(info[0], "createBuffer: device"));
  const DType dtype = toDType(info[1], "createBuffer: dtype");
  const size_t size = toSize(info[2], "createBuffer: size");
  const void* data = info[3].IsUndefined() ? nullptr : toElements(info[3], dtype, size, "createBuffer: data");
  return toJs(info.Env(), std::make_shared<DeviceMemory>(device, dtype, size, data));
}

}  // namespace fovea
