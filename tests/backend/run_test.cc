// The interpreter, and the count backend against counts read off programs.
#include "ffconv/backend/run.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/backend/clear.h"
#include "ffconv/backend/count.h"
#include "ffconv/plan/counts.h"
#include "ffconv/plan/emitter.h"
#include "plan/programs.h"
#include "support/error_of.h"

namespace ffconv::backend {
namespace {

using ::testing::ElementsAre;

static_assert(Backend<CountBackend<ClearBackend>>);
static_assert(InstructionAware<CountBackend<ClearBackend>>);
static_assert(!InstructionAware<ClearBackend>);

// Counts how many of its ciphertexts are alive: copies share a payload, moves leave none.
class LifetimeBackend {
 public:
  struct Ciphertext {
    std::shared_ptr<int> payload;
  };
  explicit LifetimeBackend(std::vector<std::weak_ptr<int>>& made) : made_(made) {}

  Ciphertext make() {
    Ciphertext x{std::make_shared<int>(0)};
    made_.push_back(x.payload);
    largest_ = std::max(largest_, alive());
    return x;
  }
  std::size_t alive() const {
    std::size_t count = 0;
    for (const auto& payload : made_) {
      count += payload.expired() ? 0 : 1;
    }
    return count;
  }
  std::size_t largest() const { return largest_; }

  PoolVector<Ciphertext> linear(const plan::Instruction& op,
                                std::span<const Ciphertext* const> inputs) {
    for (const Ciphertext* x : inputs) {
      expect_alive(*x);
    }
    PoolVector<Ciphertext> outputs;
    for (std::size_t o = 0; o < op.out.size(); ++o) {
      outputs.push_back(make());
    }
    return outputs;
  }
  Ciphertext rotate(const Ciphertext& x, std::int32_t) { return use(x); }
  Ciphertext rotate_sum(const Ciphertext& x, std::span<const std::int32_t>) { return use(x); }
  Ciphertext add(Ciphertext x, const Ciphertext& y) {
    expect_alive(y);
    return use(x);
  }
  Ciphertext add_plain(Ciphertext x, std::int32_t) { return use(x); }
  Ciphertext multiply_plain(Ciphertext x, std::int32_t, double) { return use(x); }
  Ciphertext square(const Ciphertext& x) { return use(x); }
  Ciphertext multiply(const Ciphertext& x, const Ciphertext& y) {
    expect_alive(y);
    return use(x);
  }
  Ciphertext relinearize(Ciphertext x) { return use(x); }
  Ciphertext rescale(Ciphertext x) { return use(x); }
  Ciphertext relinearize_rescale(Ciphertext x) { return use(x); }
  Ciphertext drop_level(Ciphertext x, std::int32_t) { return use(x); }

 private:
  static void expect_alive(const Ciphertext& x) { EXPECT_NE(x.payload, nullptr); }
  Ciphertext use(const Ciphertext& x) {
    expect_alive(x);
    return make();
  }
  std::vector<std::weak_ptr<int>>& made_;
  std::size_t largest_ = 0;
};

plan::Program chain_of_rotations(int length) {
  plan::Emitter emitter(4, 0);
  plan::Register x = emitter.input({{0}}, {1, 1});
  emitter.begin_layer("layer");
  for (int k = 0; k < length; ++k) {
    x = emitter.rotate(x, 1);
  }
  emitter.output(x, {{0}});
  return emitter.finish();
}

TEST(Run, FreesRegistersAfterTheirLastUse) {
  const plan::Program program = chain_of_rotations(50);
  std::vector<std::weak_ptr<int>> made;
  LifetimeBackend backend(made);
  std::vector<LifetimeBackend::Ciphertext> inputs;
  inputs.push_back(backend.make());
  const auto outputs = run(program, backend, std::move(inputs));
  EXPECT_EQ(backend.largest(), 2u);  // an operand and its result
  EXPECT_EQ(backend.alive(), 1u);    // the output
}

TEST(Run, ReadsARegisterTwiceInOneInstruction) {
  plan::Emitter emitter(2, 0);
  const plan::Register x = emitter.input({{0, 1, 2, 3}}, {4, 1});
  emitter.begin_layer("layer");
  emitter.output(emitter.add(x, x), {{0, 1, 2, 3}});
  const plan::Program program = emitter.finish();
  EXPECT_THAT(run_clear(program, std::vector<double>{1, 2, 3, 4}, 4), ElementsAre(2, 4, 6, 8));
}

TEST(Run, KeepsAnOperandThatIsReadLater) {
  plan::Emitter emitter(2, 1);
  const plan::Register x = emitter.input({{0, 1, 2, 3}}, {4, 1});
  emitter.begin_layer("layer");
  const plan::Register y = emitter.add_plain(x, emitter.vector({{10.0}}));
  emitter.output(emitter.rescale(emitter.add(y, x)), {{0, 1, 2, 3}});
  const plan::Program program = emitter.finish();
  EXPECT_THAT(run_clear(program, std::vector<double>{1, 2, 3, 4}, 4), ElementsAre(12, 14, 16, 18));
}

TEST(Run, RefusesAWrongNumberOfInputs) {
  const plan::Program program = chain_of_rotations(1);
  ClearBackend backend(program);
  const std::string message = testing::error_of(ErrorCode::kMismatch, [&] {
    run(program, backend, std::vector<ClearBackend::Ciphertext>{});
  });
  EXPECT_EQ(message, "program inputs: expected 1 ciphertexts, got 0");
}

TEST(Run, ReportsProgressByLayer) {
  const plan::Program program = testing::small_compiled().program;
  ClearBackend backend(program);
  const std::vector<double> image(36, 1.0);
  std::vector<ClearBackend::Ciphertext> inputs;
  for (std::int32_t i = 0; i < program.input_count; ++i) {
    inputs.push_back(backend.encrypt(i, image));
  }
  std::vector<std::string> stages;
  std::size_t last = 0;
  run(program, backend, std::move(inputs),
      [&](std::string_view stage, std::size_t done, std::size_t total) {
        EXPECT_EQ(done, last + 1);
        EXPECT_EQ(total, program.instructions.size());
        last = done;
        if (stages.empty() || stages.back() != stage) {
          stages.emplace_back(stage);
        }
      });
  EXPECT_EQ(last, program.instructions.size());
  EXPECT_THAT(stages, ElementsAre("conv", "square 1", "fc"));
}

TEST(CountBackend, CountsOnRealRunsWhatIsReadOffPrograms) {
  for (const plan::Packing packing : plan::kAllPackings) {
    SCOPED_TRACE(std::string(plan::to_string(packing)));
    const plan::Program program = testing::small_compiled(packing).program;
    const plan::ProgramCounts expected = plan::count(program, default_cost_table());
    ClearBackend clear(program);
    CountBackend<ClearBackend> backend(program, clear);
    const std::vector<double> image(36, 1.0);
    std::vector<ClearBackend::Ciphertext> inputs;
    for (std::int32_t i = 0; i < program.input_count; ++i) {
      inputs.push_back(clear.encrypt(i, image));
    }
    run(program, backend, std::move(inputs));
    ASSERT_EQ(backend.layers().size(), expected.layers.size());
    for (std::size_t l = 0; l < expected.layers.size(); ++l) {
      const plan::OpCounts &got = backend.layers()[l], &want = expected.layers[l];
      EXPECT_EQ(got.rotations, want.rotations);
      EXPECT_EQ(got.hoisted_rotations, want.hoisted_rotations);
      EXPECT_EQ(got.plain_products, want.plain_products);
      EXPECT_EQ(got.scalar_products, want.scalar_products);
      EXPECT_EQ(got.ciphertext_products, want.ciphertext_products);
      EXPECT_EQ(got.rescales, want.rescales);
      EXPECT_EQ(got.key_switches, want.key_switches);
    }
  }
}

}  // namespace
}  // namespace ffconv::backend
