#include "ffconv/base/error.h"

namespace ffconv {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid argument";
    case ErrorCode::kInsecure:
      return "insecure parameters";
    case ErrorCode::kMismatch:
      return "mismatch";
    case ErrorCode::kMissingKey:
      return "missing key";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kFormat:
      return "malformed data";
    case ErrorCode::kIo:
      return "input/output";
    case ErrorCode::kPermission:
      return "permission";
  }
  return "error";
}

}  // namespace ffconv
