#include "ffconv/base/parallel.h"

#include <memory>

#include <tbb/global_control.h>

#include "ffconv/base/error.h"

namespace ffconv {
namespace {

constexpr int kMaxThreads = 1024;

// TBB runs no more workers than processors, and warns on stderr, unless its global limit says so.
struct Threads {
  explicit Threads(int count)
      : count(count),
        limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(count)),
        arena(count) {}
  int count;
  tbb::global_control limit;
  tbb::task_arena arena;
};

std::unique_ptr<Threads>& threads() {
  static auto instance = std::make_unique<Threads>(tbb::this_task_arena::max_concurrency());
  return instance;
}

}  // namespace

void set_thread_count(int count) {
  if (count < 1 || count > kMaxThreads) {
    fail(ErrorCode::kInvalidArgument, "thread count: expected 1 to {}, got {}", kMaxThreads, count);
  }
  threads().reset();  // of several limits TBB keeps the lowest: the old one must go first
  threads() = std::make_unique<Threads>(count);
}

int thread_count() {
  return threads()->count;
}

tbb::task_arena& library_arena() {
  return threads()->arena;
}

}  // namespace ffconv
