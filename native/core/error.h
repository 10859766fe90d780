#pragma once

#include <stdexcept>
#include <string>

namespace fovea {

/** The one native exception. `code` is a FoveaErrorCode of lib/errors.ts; op and layer are added by the plan. */
class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message) : std::runtime_error(message), code_(std::move(code)) {}
  const std::string& code() const { return code_; }

  std::string op;     ///< The op that made the failing step.
  std::string layer;  ///< The path of the layer that made it.

 private:
  std::string code_;
};

/** Throws an `ERR_ARGUMENT` error unless `ok`. */
inline void require(bool ok, const std::string& message) {
  if (!ok) throw Error("ERR_ARGUMENT", message);
}

}  // namespace fovea
