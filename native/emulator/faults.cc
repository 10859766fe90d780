#include "emulator/faults.h"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
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

using Rules = std::multimap<std::string, Rule>;

Rules parseAll(std::string rest) {
  Rules rules;
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

/** Which version of a file was read last. */
struct Version {
  ino_t node = 0;
  time_t seconds = 0;
  long nanoseconds = 0;
  bool operator==(const Version&) const = default;
};

/** The rules in force and the calls since they are. */
class Faults {
 public:
  Faults() {
    const char* text = std::getenv("FOVEA_EMU_FAIL");
    const std::string given = text ? text : "";
    if (given.rfind('@', 0) == 0) {
      file_ = given.substr(1);
    } else {
      rules_ = parseAll(given);
    }
    idle_ = file_.empty() && rules_.empty();
  }

  Fault count(const std::string& api) {
    if (idle_) return {};
    const std::lock_guard lock(mutex_);
    if (!file_.empty()) readAgain();
    const long n = ++calls_[api];
    const auto [first, last] = rules_.equal_range(api);
    for (auto r = first; r != last; ++r) {
      if (r->second.nth != 0 && r->second.nth != n) continue;
      if (!file_.empty()) std::ofstream(file_ + ".fired", std::ios::app) << api << '\n';
      return r->second.fault;
    }
    return {};
  }

 private:
  /** A file that another one was renamed onto has rules of its own, and calls are counted from 1 for them. */
  void readAgain() {
    struct stat status {};
    if (stat(file_.c_str(), &status) != 0) return;
    const Version now{status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
    if (now == version_) return;
    version_ = now;
    std::ifstream in(file_);
    std::string text;
    std::getline(in, text);
    rules_ = parseAll(text);
    calls_.clear();
  }

  std::mutex mutex_;
  std::string file_;
  Version version_;
  Rules rules_;
  std::map<std::string, long> calls_;
  bool idle_ = false;
};

}  // namespace

Fault countCall(const std::string& api) {
  static auto* const faults = new Faults;  // outlives every thread
  return faults->count(api);
}

}  // namespace fovea::emulator
