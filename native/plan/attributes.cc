#include "plan/attributes.h"

#include <cmath>
#include <sstream>

#include "core/error.h"

namespace fovea {
namespace {

template <typename T>
std::string joined(const std::vector<T>& list, const char* quote) {
  constexpr size_t kShown = 8;
  std::ostringstream s;
  s << "[";
  for (size_t i = 0; i < list.size() && i < kShown; ++i) s << (i ? "," : "") << quote << list[i] << quote;
  s << (list.size() > kShown ? ",...]" : "]");
  return s.str();
}

std::string text(const AttributeValue& value) {
  if (const bool* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const std::string* s = std::get_if<std::string>(&value)) return "'" + *s + "'";
  if (const auto* list = std::get_if<std::vector<double>>(&value)) return joined(*list, "");
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return joined(*list, "'");
  std::ostringstream s;
  s << std::get<double>(value);
  return s.str();
}

/** Whole, and small enough that a double holds it exactly. */
bool isWhole(double d) { return std::abs(d) <= 9007199254740991.0 && d == std::floor(d); }

std::string wholeFrom(int64_t least) { return "whole number of " + std::to_string(least) + " or more"; }

}  // namespace

void AttributeReader::refuse(const std::string& name, const std::string& expected) const {
  const auto found = attributes_.find(name);
  const std::string received = found == attributes_.end() ? "nothing" : text(found->second);
  throw Error("ERR_ARGUMENT", kernel_ + ": attribute '" + name + "': expected " + expected + ", received " + received);
}

const AttributeValue& AttributeReader::get(const std::string& name, const std::string& expected) {
  const auto found = attributes_.find(name);
  if (found == attributes_.end()) refuse(name, expected);
  read_.insert(name);
  return found->second;
}

double AttributeReader::number(const std::string& name) {
  const double* d = std::get_if<double>(&get(name, "a number"));
  if (!d) refuse(name, "a number");
  return *d;
}

double AttributeReader::numberAtLeast(const std::string& name, double least) {
  const double d = number(name);
  if (!std::isfinite(d) || d < least) {
    std::ostringstream expected;
    expected << "a finite number of " << least << " or more";
    refuse(name, expected.str());
  }
  return d;
}

int64_t AttributeReader::integer(const std::string& name, int64_t least) {
  const std::string expected = "a " + wholeFrom(least);
  const double* d = std::get_if<double>(&get(name, expected));
  if (!d || !isWhole(*d) || *d < static_cast<double>(least)) refuse(name, expected);
  return static_cast<int64_t>(*d);
}

bool AttributeReader::boolean(const std::string& name) {
  const bool* b = std::get_if<bool>(&get(name, "true or false"));
  if (!b) refuse(name, "true or false");
  return *b;
}

bool AttributeReader::flag(const std::string& name) { return attributes_.count(name) != 0 && boolean(name); }

std::vector<double> AttributeReader::numbers(const std::string& name) {
  const AttributeValue& value = get(name, "a list of numbers");
  if (const auto* list = std::get_if<std::vector<double>>(&value)) return *list;
  // An empty JavaScript array has no element type; it arrives as a list of words.
  if (const auto* words = std::get_if<std::vector<std::string>>(&value); words && words->empty()) return {};
  refuse(name, "a list of numbers");
}

std::vector<int64_t> AttributeReader::integers(const std::string& name, int64_t least) {
  std::vector<int64_t> result;
  for (double d : numbers(name)) {
    if (!isWhole(d) || d < static_cast<double>(least)) refuse(name, "a list of " + wholeFrom(least) + " each");
    result.push_back(static_cast<int64_t>(d));
  }
  return result;
}

std::vector<std::string> AttributeReader::strings(const std::string& name) {
  const auto* list = std::get_if<std::vector<std::string>>(&get(name, "a list of words"));
  if (!list) refuse(name, "a list of words");
  return *list;
}

void AttributeReader::finish() const {
  for (const auto& [name, value] : attributes_) {
    if (read_.count(name) == 0) {
      throw Error("ERR_ARGUMENT", kernel_ + ": expected no attribute '" + name + "', received " + text(value));
    }
  }
}

}  // namespace fovea
