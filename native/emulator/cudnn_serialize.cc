#include <sstream>

#include "emulator/config.h"
#include "emulator/cudnn_descriptor.h"

/**
 * @file
 * Plans as JSON, whole: another process restores them from it, as it does with the real library, and a text of another
 * version or a damaged one is refused.
 */
namespace fovea::emulator {
namespace {

constexpr char kBefore[] = "{\"emulatedCudnn\":", kBetween[] = ",\"engineConfig\":\"", kAfter[] = "\"}";
constexpr size_t kMost = 64;  ///< Attributes, descriptors and notes of one descriptor.

[[noreturn]] void mismatch() { fail(CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH, "a plan of this library"); }

std::string hex(const std::vector<char>& bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text = "x";  // so that nothing is a word as well
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::vector<char> unhex(const std::string& text) {
  if (text.size() % 2 != 1 || text[0] != 'x') mismatch();
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    mismatch();
  };
  std::vector<char> bytes;
  for (size_t i = 1; i < text.size(); i += 2) {
    bytes.push_back(static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1])));
  }
  return bytes;
}

void write(std::ostream& out, const Descriptor& d) {
  out << static_cast<int>(d.type) << ' ' << d.engine << ' ' << d.workspace << ' ' << d.needsRuntime << ' '
      << d.notes.size();
  for (const cudnnBackendNumericalNote_t note : d.notes) out << ' ' << static_cast<int>(note);
  std::map<int, const Attribute*> kept;  // handles are of this process
  for (const auto& [name, attribute] : d.attributes) {
    if (attribute.type != CUDNN_TYPE_HANDLE) kept[name] = &attribute;
  }
  out << ' ' << kept.size();
  for (const auto& [name, attribute] : kept) {
    out << ' ' << name << ' ' << static_cast<int>(attribute->type) << ' ' << attribute->count << ' '
        << hex(attribute->bytes) << ' ' << attribute->descriptors.size();
    for (const DescriptorPtr& child : attribute->descriptors) {
      out << ' ';
      write(out, *child);
    }
  }
}

template <class T>
T word(std::istream& in) {
  T value{};
  if (!(in >> value)) mismatch();
  return value;
}

size_t few(std::istream& in) {
  const auto n = word<size_t>(in);
  if (n > kMost) mismatch();
  return n;
}

DescriptorPtr read(std::istream& in, int depth = 0) {
  constexpr int kDeepest = 8;
  if (depth > kDeepest) mismatch();
  const auto type = static_cast<cudnnBackendDescriptorType_t>(word<int>(in));
  if (!knownType(type)) mismatch();
  auto d = std::make_shared<Descriptor>(type);
  d->finalized = true;
  d->engine = word<int64_t>(in);
  d->workspace = word<int64_t>(in);
  d->needsRuntime = word<bool>(in);
  for (size_t n = few(in); n > 0; --n) d->notes.push_back(static_cast<cudnnBackendNumericalNote_t>(word<int>(in)));
  for (size_t n = few(in); n > 0; --n) {
    const int name = word<int>(in);
    Attribute& attribute = d->attributes[name];
    attribute.type = static_cast<cudnnBackendAttributeType_t>(word<int>(in));
    attribute.count = word<int64_t>(in);
    attribute.bytes = unhex(word<std::string>(in));
    for (size_t children = few(in); children > 0; --children) attribute.descriptors.push_back(read(in, depth + 1));
  }
  return d;
}

std::string before() { return kBefore + std::to_string(config().cudnnVersion) + kBetween; }

}  // namespace

std::string planToJson(const Descriptor& engineConfig) {
  std::ostringstream out;
  write(out, engineConfig);
  return before() + out.str() + kAfter;
}

DescriptorPtr planFromJson(const std::string& json) {
  const std::string start = before(), end = kAfter;
  if (json.size() < start.size() + end.size() || json.rfind(start, 0) != 0 ||
      json.compare(json.size() - end.size(), end.size(), end) != 0) {
    mismatch();
  }
  std::istringstream in(json.substr(start.size(), json.size() - start.size() - end.size()));
  DescriptorPtr config = read(in);
  if (config->type != CUDNN_BACKEND_ENGINECFG_DESCRIPTOR || !config->has(CUDNN_ATTR_ENGINECFG_ENGINE)) mismatch();
  std::string rest;
  if (in >> rest) mismatch();
  return config;
}

}  // namespace fovea::emulator
