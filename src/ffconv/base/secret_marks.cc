#include "ffconv/base/secret_marks.h"

namespace ffconv {

void mark_secret(const void* /*data*/, std::size_t /*bytes*/) noexcept {}

void mark_public(const void* /*data*/, std::size_t /*bytes*/) noexcept {}

}  // namespace ffconv
