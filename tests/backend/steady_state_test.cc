// After a warm-up, running the same program again takes no memory from the system: every buffer of
// 4 KiB or more comes back from the pool. Counted by replacing operator new for this executable.
#include <atomic>

#include <gtest/gtest.h>

#include "ffconv/backend/ckks.h"
#include "ffconv/backend/run.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "support/counted_new.h"
#include "support/evaluation_keys.h"
#include "support/program_builder.h"

namespace {

constexpr std::size_t kLargeBytes = 4096;
std::atomic<std::size_t> large_allocations{0};

}  // namespace

void ffconv::testing::on_allocation(std::size_t bytes) {
  large_allocations += bytes >= kLargeBytes ? 1 : 0;
}

namespace ffconv::backend {
namespace {

TEST(SteadyState, TheCounterSeesLargeAllocations) {
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
  const EvaluationKeys keys = testing::make_keys(secret, plan::key_request(program));
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
    const std::size_t before = large_allocations, cut = internal::pool_cut_bytes();
    run_once();
    EXPECT_EQ(large_allocations - before, 0u) << "run " << again + 2;
    EXPECT_EQ(internal::pool_cut_bytes() - cut, 0u) << "run " << again + 2;
  }
}

}  // namespace
}  // namespace ffconv::backend
