#include "ffconv/model/quote.h"

namespace ffconv::model {

std::string quote(std::string_view name) {
  constexpr std::size_t kMaxBytes = 80;
  std::string text = "'";
  for (const char byte : name.substr(0, kMaxBytes)) {
    text += byte >= ' ' && byte <= '~' ? byte : '?';
  }
  text += name.size() > kMaxBytes ? "...'" : "'";
  return text;
}

}  // namespace ffconv::model
