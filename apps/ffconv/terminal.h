// What is known of the terminal, if there is one.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace ffconv::cli {

bool is_terminal(std::FILE* stream);

// Of the terminal behind `stream`; 80 where it does not say.
std::size_t terminal_columns(std::FILE* stream);

enum class Colours { kNone, kColours256, kTrue24 };

// What `stream` shows: kNone for a file or pipe, a terminal that calls itself dumb, and where
// NO_COLOR is set (no-color.org).
Colours terminal_colours(std::FILE* stream);

// Text from a foreign file, fit for a terminal: at most `columns` characters, with '?' for
// everything outside printable ASCII.
std::string printable(std::string_view text, std::size_t columns = 80);

}  // namespace ffconv::cli
