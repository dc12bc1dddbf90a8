// Parallel loops over limbs, digits, ciphertexts and rotations, on TBB.
//
// Iterations must be independent: results never depend on the number of threads.
#pragma once

#include <cstddef>

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

namespace ffconv {

// Threads that parallel loops may use from now on, 1 to 1024. Default: all of the machine's.
// Throws kInvalidArgument outside that range. Call it before any loop runs.
void set_thread_count(int threads);
int thread_count();

// The arena in which every parallel loop of the library runs.
tbb::task_arena& library_arena();

// Calls body(i) for i in [0, count), each exactly once, in any order.
template <typename Body>
void parallel_for(std::size_t count, const Body& body) {
  if (count <= 1 || thread_count() == 1) {
    for (std::size_t i = 0; i < count; ++i) {
      body(i);
    }
    return;
  }
  library_arena().execute(
      [&] { tbb::parallel_for(std::size_t{0}, count, body, tbb::simple_partitioner{}); });
}

}  // namespace ffconv
