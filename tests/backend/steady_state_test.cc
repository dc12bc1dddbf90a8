// After a warm-up, running the same program again allocates nothing: every buffer and every list
// comes back from the pool. Counted by replacing operator new for this executable.
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

std::atomic<std::size_t> allocations{0};

}  // namespace

void ffconv::testing::on_allocation(std::size_t) {
  ++allocations;
}

namespace ffconv::backend {
namespace {

TEST(SteadyState, TheCounterSeesAllocations) {
  const std::size_t before = allocations;
  const std::vector<char> block(1);
  EXPECT_EQ(allocations, before + 1);
}

// Every operation, at N = 2^12; the linear maps with and without rotations, of two inputs to two
// outputs.
plan::Program every_operation() {
  ParamsSpec spec = one_prime_a_level(12, {45, 36, 36, 36, 36, 36, 36}, {46}, 1, 6);
  spec.security = Security::kInsecureForTesting;
  testing::ProgramBuilder b(spec);
  const auto vector = [&](double value) { return b.vector({value, -value, 0.25, value}); };
  const auto a = b.input(testing::cyclic_labels(4, 4), 0x1p36, 1.0);
  const auto c = b.input(testing::cyclic_labels(4, 4), 0x1p36, 1.0);
  std::vector<plan::LinearTerm> rotated, plain;
  for (std::int32_t in = 0; in < 2; ++in) {
    for (std::int32_t out = 0; out < 2; ++out) {
      plain.push_back({in, out, 0, 0, vector(0.5)});
      for (std::int32_t r = 0; r < 4; ++r) {
        rotated.push_back({in, out, r % 2, r - r % 2, vector(0.125 * (r + 1))});
      }
    }
  }
  const auto mapped = b.linear({a, c}, 2, rotated, 2.0);
  const auto again = b.linear({b.rescale(mapped[0]), b.rescale(mapped[1])}, 2, plain, 2.0);
  auto x = b.rescale(again[0]);
  const auto y = b.rescale(again[1]);
  x = b.add(b.rotate(x, 1), b.rotate_sum(y, {0, 1}, 4.0), 6.0);
  x = b.relinearize_rescale(b.square(x));
  x = b.multiply(x, b.drop_level(b.add_plain(y, vector(0.5), 2.5), b.level(x)));
  x = b.rescale(b.relinearize(x));
  x = b.rescale(b.multiply_plain(x, vector(0.5), 90.0));
  x = b.rescale(b.multiply_plain(x, b.vector({0.5}), 90.0));
  b.output(x, {0, 1, -1, -1});
  return b.finish(0x1p-10);
}

TEST(SteadyState, RunningAProgramAgainAllocatesNothing) {
#ifdef FFCONV_SANITIZED
  GTEST_SKIP() << "the pool keeps nothing under a sanitizer";
#endif
  set_thread_count(1);
  const plan::Program program = every_operation();
  const ContextPtr context = Context::make(Params(program.params));
  const SecretKey secret = SecretKey::generate(context);
  const EvaluationKeys keys = testing::make_keys(secret, plan::key_request(program));
  const EncodedProgram encoded(program, context);
  std::vector<Ciphertext> inputs;
  for (std::size_t i = 0; i < 2; ++i) {
    const plan::ValueInfo& info = program.values[i];
    inputs.push_back(
        encrypt(secret, encode(*context, std::vector<double>{0.5, -0.25}, info.scale, info.level)));
  }
  for (int again = 0; again < 4; ++again) {
    std::vector<Ciphertext> taken = inputs;
    const std::size_t before = allocations, cut = internal::pool_cut_bytes();
    CkksBackend backend(encoded, keys);
    const auto outputs = run(program, backend, std::move(taken));
    ASSERT_EQ(outputs.size(), 1u);
    if (again > 0) {  // the first is the warm-up
      EXPECT_EQ(allocations - before, 0u) << "run " << again + 1;
      EXPECT_EQ(internal::pool_cut_bytes() - cut, 0u) << "run " << again + 1;
    }
  }
}

}  // namespace
}  // namespace ffconv::backend
