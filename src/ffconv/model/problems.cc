#include "ffconv/model/problems.h"

namespace ffconv::model {

void Problems::add(const char* problem) {
  constexpr std::size_t kMaxListed = 100;
  if (++count_ <= kMaxListed) {
    list_ += fmt::format("\n  {}", problem);
  }
}

void Problems::throw_if_any() const {
  if (count_ > 0) {
    fail(ErrorCode::kUnsupported, "{} part{} of the network cannot run encrypted:{}", count_,
         count_ == 1 ? "" : "s", list_);
  }
}

}  // namespace ffconv::model
