// Parallel loops over limbs, digits, ciphertexts and rotations, on TBB.
//
// Iterations must be independent: results never depend on the number of threads.
#pragma once

#include <cstddef>

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace ffconv {

// Threads that parallel loops may use from now on, 1 to 1024. Default: all of the machine's.
// Throws kInvalidArgument outside that range. Call it while no loop runs.
void set_thread_count(int threads);
int thread_count();

// The arena in which every parallel loop of the library runs.
tbb::task_arena& library_arena();

namespace internal {

// TBB is not instrumented, so the thread sanitizer sees neither that an iteration comes after what
// its caller did before, nor that the caller goes on after the iteration. These calls tell it; two
// iterations stay unordered, so that a race between them is found. Nothing in other builds.
class LoopOrder {
 public:
#ifdef __SANITIZE_THREAD__
  LoopOrder() {
    __tsan_release(&begin_);
  }
  void enter() {
    __tsan_acquire(&begin_);
  }
  void leave() {
    __tsan_release(&end_);
  }
  void join() {
    __tsan_acquire(&end_);
  }

 private:
  char begin_, end_;
#else
  void enter() {}
  void leave() {}
  void join() {}
#endif
};

}  // namespace internal

// Calls body(i) for i in [0, count), each exactly once, in any order.
template <typename Body>
void parallel_for(std::size_t count, const Body& body) {
  if (count <= 1 || thread_count() == 1) {
    for (std::size_t i = 0; i < count; ++i) {
      body(i);
    }
    return;
  }
  internal::LoopOrder order;
  const auto ordered_body = [&](std::size_t i) {
    order.enter();
    body(i);
    order.leave();
  };
  library_arena().execute(
      [&] { tbb::parallel_for(std::size_t{0}, count, ordered_body, tbb::simple_partitioner{}); });
  order.join();
}

}  // namespace ffconv
