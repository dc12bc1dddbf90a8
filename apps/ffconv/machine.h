// The machine that the program runs on.
#pragma once

#include <cstdint>
#include <string>

namespace ffconv::cli {

std::string cpu_name();  // "unknown" where the system does not say
// The same with family and model: names are alike from one generation to the next.
std::string cpu_generation();
std::uint64_t memory_bytes();       // installed
std::uint64_t peak_memory_bytes();  // most that this process has held so far

// Bytes per second of reading memory in order, on `threads` threads: the best of several passes
// over more than any cache holds.
double read_bandwidth(int threads);

// Whether the system lets a page be locked, so that secrets are never swapped out.
bool can_lock_memory();

}  // namespace ffconv::cli
