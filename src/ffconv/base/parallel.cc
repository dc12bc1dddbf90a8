#include "ffconv/base/parallel.h"

#include <memory>

#include "ffconv/base/error.h"

namespace ffconv {
namespace {

constexpr int kMaxThreads = 1024;

struct Threads {
  int count = tbb::this_task_arena::max_concurrency();
  std::unique_ptr<tbb::task_arena> arena = std::make_unique<tbb::task_arena>(count);
};

Threads& threads() {
  static Threads instance;
  return instance;
}

}  // namespace

void set_thread_count(int count) {
  if (count < 1 || count > kMaxThreads) {
    fail(ErrorCode::kInvalidArgument, "thread count: expected 1 to {}, got {}", kMaxThreads, count);
  }
  threads().count = count;
  threads().arena = std::make_unique<tbb::task_arena>(count);
}

int thread_count() {
  return threads().count;
}

tbb::task_arena& library_arena() {
  return *threads().arena;
}

}  // namespace ffconv
