#include "addon/plan_args.h"

#include <utility>
#include <vector>

#include "addon/args.h"

namespace fovea {
namespace {

/** An object of the description and its path in it. */
class Fields {
 public:
  Fields(const Napi::Value& value, const std::string& path) : object_(toObject(value, path)), path_(path) {}

  Napi::Value get(const char* name) const { return object_.Get(name); }
  std::string path(const char* name) const { return path_ + "." + name; }
  int64_t integer(const char* name) const { return toInteger(get(name), path(name)); }
  std::string text(const char* name) const { return toText(get(name), path(name)); }
  DType dtype(const char* name) const { return toDType(get(name), path(name)); }

  /** Every element of the array `name`, as `convert(value, path)` makes it. */
  template <typename Convert>
  auto list(const char* name, Convert convert) const {
    const Napi::Array array = toArray(get(name), path(name));
    std::vector<decltype(convert(std::declval<Napi::Value>(), std::string()))> result;
    const uint32_t length = array.Length();
    result.reserve(length);
    for (uint32_t i = 0; i < length; ++i) {
      const Napi::HandleScope scope(array.Env());
      result.push_back(convert(array.Get(i), path(name) + "[" + std::to_string(i) + "]"));
    }
    return result;
  }

 private:
  Napi::Object object_;
  std::string path_;
};

StorageDesc toStorage(const Napi::Value& value, const std::string& path) {
  const Fields fields(value, path);
  const std::string kind = fields.text("kind");
  StorageDesc storage;
  if (kind == "external") {
    storage.index = fields.integer("index");
    if (!fields.get("first").IsUndefined()) storage.first = fields.integer("first");
    const Napi::Value size = fields.get("size");
    if (!size.IsUndefined()) {
      storage.size = fields.integer("size");
      if (storage.size < 0) refuseArgument(fields.path("size"), "0 or more elements", size);
    }
  } else if (kind == "arena") {
    storage.kind = StorageDesc::Kind::kArena;
    storage.offset = fields.integer("offset");
    storage.bytes = fields.integer("bytes");
  } else {
    refuseArgument(fields.path("kind"), "'external' or 'arena'", fields.get("kind"));
  }
  return storage;
}

SlotDesc toSlot(const Napi::Value& value, const std::string& path) {
  const Fields fields(value, path);
  return {fields.integer("storage"), {fields.dtype("dtype"), fields.list("shape", toInteger)}};
}

ExternalDesc toExternal(const Napi::Value& value, const std::string& path) {
  const Fields fields(value, path);
  return {fields.dtype("dtype"), fields.integer("size")};
}

AttributeValue toAttributeList(const Napi::Array& array, const std::string& path) {
  const uint32_t length = array.Length();
  std::vector<double> numbers;
  std::vector<std::string> words;
  for (uint32_t i = 0; i < length; ++i) {
    const Napi::HandleScope scope(array.Env());
    const Napi::Value element = array.Get(i);
    const std::string name = path + "[" + std::to_string(i) + "]";
    if (element.IsNumber() && words.empty()) {
      numbers.push_back(element.As<Napi::Number>().DoubleValue());
    } else if (element.IsString() && numbers.empty()) {
      words.push_back(element.As<Napi::String>().Utf8Value());
    } else {
      refuseArgument(name, "numbers only or strings only", element);
    }
  }
  if (!numbers.empty()) return numbers;
  return words;
}

AttributeValue toAttribute(const Napi::Value& value, const std::string& path) {
  if (value.IsNumber()) return value.As<Napi::Number>().DoubleValue();
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  if (value.IsArray()) return toAttributeList(value.As<Napi::Array>(), path);
  refuseArgument(path, "a number, a boolean, a string or an array of them", value);
}

Attributes toAttributes(const Napi::Value& value, const std::string& path) {
  const Napi::Object object = toObject(value, path);
  const Napi::Array names = object.GetPropertyNames();
  Attributes attributes;
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = names.Get(i).ToString().Utf8Value();
    const Napi::Value attribute = object.Get(name);
    if (!attribute.IsUndefined()) attributes.emplace(name, toAttribute(attribute, path + "." + name));
  }
  return attributes;
}

StepDesc toStep(const Napi::Value& value, const std::string& path) {
  const Fields fields(value, path);
  StepDesc step;
  step.kernel = fields.text("kernel");
  step.attributes = toAttributes(fields.get("attributes"), fields.path("attributes"));
  step.inputs = fields.list("inputs", toInteger);
  step.outputs = fields.list("outputs", toInteger);
  step.op = fields.text("op");
  step.layer = fields.text("layer");
  return step;
}

}  // namespace

PlanDesc toPlanDesc(const Napi::Value& value, const std::string& name) {
  const Fields fields(value, name);
  PlanDesc plan;
  plan.storages = fields.list("storages", toStorage);
  plan.slots = fields.list("slots", toSlot);
  plan.steps = fields.list("steps", toStep);
  plan.arenaBytes = fields.integer("arenaBytes");
  plan.externals = fields.list("externals", toExternal);
  return plan;
}

}  // namespace fovea
