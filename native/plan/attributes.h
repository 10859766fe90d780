#pragma once

#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "plan/plan_desc.h"

namespace fovea {

/**
 * Reads the attributes of one step, each exactly once. A missing or mistyped attribute is an `ERR_ARGUMENT` that names
 * the kernel, the attribute, what was expected and what was received; so is one that nobody asked for.
 */
class AttributeReader {
 public:
  AttributeReader(const std::string& kernel, const Attributes& attributes) : kernel_(kernel), attributes_(attributes) {}

  double number(const std::string& name);
  /** A finite number of at least `least`. */
  double numberAtLeast(const std::string& name, double least);
  /** A whole number from `least` up. */
  int64_t integer(const std::string& name, int64_t least);
  bool boolean(const std::string& name);
  /** As `boolean`, false where it is not given. */
  bool flag(const std::string& name);
  std::vector<double> numbers(const std::string& name);
  std::vector<int64_t> integers(const std::string& name, int64_t least);
  std::vector<std::string> strings(const std::string& name);

  /** A list of exactly N whole numbers from `least` up. */
  template <size_t N>
  std::array<int64_t, N> tuple(const std::string& name, int64_t least) {
    const std::vector<int64_t> list = integers(name, least);
    if (list.size() != N) refuse(name, std::to_string(N) + " whole numbers");
    std::array<int64_t, N> result;
    for (size_t i = 0; i < N; ++i) result[i] = list[i];
    return result;
  }

  /** One of the given words, as the value that stands with it. */
  template <typename T>
  T choice(const std::string& name, const std::vector<std::pair<std::string, T>>& choices) {
    const AttributeValue& value = get(name, "a word");
    std::string words;
    for (const auto& [word, result] : choices) {
      if (const std::string* given = std::get_if<std::string>(&value); given && *given == word) return result;
      words += (words.empty() ? "'" : "' or '") + word;
    }
    refuse(name, words + "'");
  }

  /** Throws when an attribute was given that the kernel does not have. */
  void finish() const;
  /** Throws the error of an attribute that is not what it should be. */
  [[noreturn]] void refuse(const std::string& name, const std::string& expected) const;

 private:
  const AttributeValue& get(const std::string& name, const std::string& expected);

  const std::string& kernel_;
  const Attributes& attributes_;
  std::set<std::string> read_;
};

}  // namespace fovea
