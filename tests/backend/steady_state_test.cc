// After a warm-up, running the same program again takes no memory from the system: every buffer of
// 4 KiB or more comes back from the pool. Counted by replacing operator new for this executable.
#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "ffconv/backend/ckks.h"
#include "ffconv/backend/run.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "ffconv/ckks/secret/key_generator.h"
#include "support/program_builder.h"

namespace {

constexpr std::size_t kLargeBytes = 4096;
std::atomic<std::size_t> large_allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  if (bytes >= kLargeBytes) {
    ++large_allocations;
  }
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (void* data = std::aligned_alloc(alignment, rounded)) {
    return data;
  }
  throw std::bad_alloc();
}

}  // namespace

#ifndef FFCONV_SANITIZED
void* operator new(std::size_t bytes) {
  return counted(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* data) noexcept {
  std::free(data);
}
void operator delete(void* data, std::size_t) noexcept {
  std::free(data);
}
void operator delete(void* data, std::align_val_t) noexcept {
  std::free(data);
}
void operator delete(void* data, std::size_t, std::align_val_t) noexcept {
  std::free(data);
}
#endif

namespace ffconv::backend {
namespace {

TEST(SteadyState, TheCounterSeesLargeAllocations) {
#ifdef FFCONV_SANITIZED
  GTEST_SKIP() << "sanitizers count for themselves";
#endif
  const std::size_t before = large_allocations;
  const std::vector<double> block(kLargeBytes);
  EXPECT_EQ(large_allocations, before + 1);
}

TEST(SteadyState, RunningAProgramAgainAllocatesNothingLarge) {
#ifdef FFCONV_SANITIZED
  GTEST_SKIP() << "the pool keeps nothing under a sanitizer";
#endif
  set_thread_count(1);
  const ParamsSpec spec = [] {
    ParamsSpec s = one_prime_a_level(12, {45, 36, 36, 36}, {46}, 1, 3);
    s.security = Security::kInsecureForTesting;
    return s;
  }();
  const plan::Program program = testing::small_program(spec, 0x1p36, 0x1p-20);
  const ContextPtr context = Context::make(Params(spec));
  const SecretKey secret = SecretKey::generate(context);
  const KeyGenerator generator(secret);
  EvaluationKeys keys;
  const plan::KeyRequest request = plan::key_request(program);
  for (const std::int32_t level : request.relinearization) {
    keys.relinearization.emplace(level, generator.relinearization_key(level));
  }
  for (const auto& [step, level] : request.rotations) {
    keys.rotations.emplace(std::pair(step, level), generator.rotation_key(step, level));
  }
  const EncodedProgram encoded(program, context);
  const plan::ValueInfo& info = program.values[0];
  const Ciphertext input =
      encrypt(secret, encode(*context, std::vector<double>{0.5, -0.25}, info.scale, info.level));
  const auto run_once = [&] {
    CkksBackend backend(encoded, keys);
    return run(program, backend, std::vector<Ciphertext>{input});
  };
  run_once();
  for (int again = 0; again < 3; ++again) {
    const std::size_t before = large_allocations;
    run_once();
    EXPECT_EQ(large_allocations - before, 0u) << "run " << again + 2;
  }
}

}  // namespace
}  // namespace ffconv::backend
