#include "machine.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <numeric>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ffconv/base/aligned_buffer.h"
#include "stopwatch.h"

namespace ffconv::cli {
namespace {

// Keeps sums from being optimized away.
volatile std::uint64_t sink;

// What the system says of the first processor under `key`, a name that tabs may follow.
std::string cpu_field(std::string_view key) {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos &&
        line.substr(0, line.find_last_not_of("\t :", colon) + 1) == key) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

}  // namespace

std::string cpu_name() {
  return cpu_field("model name");
}

std::string cpu_generation() {
  return cpu_name() + " (family " + cpu_field("cpu family") + ", model " + cpu_field("model") + ")";
}

std::uint64_t memory_bytes() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t peak_memory_bytes() {
  ::rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  constexpr std::uint64_t kUnit = 1024;  // Linux counts in kibibytes
  return static_cast<std::uint64_t>(usage.ru_maxrss) * kUnit;
}

double read_bandwidth(int threads) {
  constexpr std::size_t kWordsPerThread = std::size_t{1} << 24;  // 128 MiB
  constexpr int kPasses = 5;
  std::vector<AlignedBuffer<std::uint64_t>> buffers;
  for (int t = 0; t < threads; ++t) {
    buffers.emplace_back(kWordsPerThread, 1);
  }
  std::vector<std::uint64_t> sums(buffers.size());
  double best_us = std::numeric_limits<double>::infinity();
  for (int pass = 0; pass < kPasses; ++pass) {
    Stopwatch watch;
    {
      std::vector<std::jthread> readers;
      for (std::size_t t = 0; t < buffers.size(); ++t) {
        readers.emplace_back([&, t] {
          sums[t] += std::accumulate(buffers[t].begin(), buffers[t].end(), std::uint64_t{0});
        });
      }
    }
    best_us = std::min(best_us, watch.lap_us());
  }
  sink = std::accumulate(sums.begin(), sums.end(), std::uint64_t{0});
  return static_cast<double>(buffers.size() * kWordsPerThread * sizeof(std::uint64_t)) / best_us *
         1e6;
}

bool can_lock_memory() {
  const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    return false;
  }
  const bool locked = ::mlock(page, bytes) == 0;
  ::munmap(page, bytes);
  return locked;
}

}  // namespace ffconv::cli
