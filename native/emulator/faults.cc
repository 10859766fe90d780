#include "emulator/faults.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

namespace fovea::emulator {
namespace {

struct Rule {
  long nth = 0;  ///< 0: every call.
  Fault fault;
};

[[noreturn]] void refuse(const std::string& rule) {
  std::fprintf(stderr, "emulator: FOVEA_EMU_FAIL: expected name:n=code with an optional s or a, received '%s'\n",
               rule.c_str());
  std::abort();
}

Rule parse(const std::string& rule, std::string& api) {
  const size_t equals = rule.find('='), colon = rule.rfind(':', equals);
  if (equals == std::string::npos || colon == std::string::npos) refuse(rule);
  api = rule.substr(0, colon);
  Rule r;
  const std::string nth = rule.substr(colon + 1, equals - colon - 1);
  try {
    if (nth != "*") r.nth = std::stol(nth);
    size_t used = 0;
    const std::string code = rule.substr(equals + 1);
    r.fault.code = std::stoi(code, &used);
    const std::string kind = code.substr(used);
    r.fault.late = kind == "a";
    r.fault.sticky = kind == "s" || r.fault.late;
    if (!kind.empty() && !r.fault.sticky) refuse(rule);
  } catch (const std::exception&) {
    refuse(rule);
  }
  return r;
}

std::multimap<std::string, Rule> read() {
  std::multimap<std::string, Rule> rules;
  const char* text = std::getenv("FOVEA_EMU_FAIL");
  std::string rest = text ? text : "";
  while (!rest.empty()) {
    const size_t end = rest.find(';');
    const std::string rule = rest.substr(0, end);
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
    if (rule.empty()) continue;
    std::string api;
    const Rule parsed = parse(rule, api);
    rules.emplace(api, parsed);
  }
  return rules;
}

}  // namespace

Fault countCall(const std::string& api) {
  static const std::multimap<std::string, Rule> rules = read();
  if (rules.empty()) return {};
  static std::mutex mutex;
  static std::map<std::string, long> calls;
  const std::lock_guard lock(mutex);
  const long n = ++calls[api];
  const auto [first, last] = rules.equal_range(api);
  for (auto r = first; r != last; ++r) {
    if (r->second.nth == 0 || r->second.nth == n) return r->second.fault;
  }
  return {};
}

}  // namespace fovea::emulator
