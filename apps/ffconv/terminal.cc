#include "terminal.h"

#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

namespace ffconv::cli {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

bool is_terminal(std::FILE* stream) {
  return ::isatty(::fileno(stream)) == 1;
}

std::size_t terminal_columns(std::FILE* stream) {
  constexpr std::size_t kDefault = 80;
  ::winsize size{};
  const bool known = ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kDefault;
}

Colours terminal_colours(std::FILE* stream) {
  const std::string_view term = environment("TERM");
  if (!is_terminal(stream) || term.empty() || term == "dumb" || !environment("NO_COLOR").empty()) {
    return Colours::kNone;
  }
  const std::string_view depth = environment("COLORTERM");
  return depth == "truecolor" || depth == "24bit" ? Colours::kTrue24 : Colours::kColours256;
}

std::string printable(std::string_view text, std::size_t columns) {
  std::string result(text.substr(0, columns));
  for (char& c : result) {
    c = c >= ' ' && c <= '~' ? c : '?';
  }
  return result;
}

}  // namespace ffconv::cli
