// This program again, as a process of its own: its memory is measured apart, and lost with it.
#pragma once

#include <string>
#include <vector>

namespace ffconv::cli {

// What `ffconv ARGUMENTS...` prints on stdout. Throws kIo with the text of its stderr where it
// fails.
std::string run_self(const std::vector<std::string>& arguments);

}  // namespace ffconv::cli
