// The one exception of the library, for everything that the outside can cause: model, parameters,
// message, file, missing key. Its text says what, where, expected and got, and where there is one
// the cure; it never contains secret data.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace ffconv {

enum class ErrorCode {
  kInvalidArgument,  // a value outside its documented range
  kInsecure,         // parameters beyond the security table
  kMismatch,         // two things that do not belong together: level, scale, parameters, bundle
  kMissingKey,       // an evaluation key that was not made
  kUnsupported,      // a network or option that FFConv does not handle
  kFormat,           // malformed, truncated or altered bytes
  kIo,               // a file that cannot be read or written
  kPermission,       // a secret that others can read
};

std::string_view to_string(ErrorCode code);

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

// Throws Error(code, formatted message).
template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace ffconv
