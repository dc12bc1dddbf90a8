#include "ffconv/backend/ckks.h"

#include <cmath>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/backend/clear.h"
#include "ffconv/backend/count.h"
#include "ffconv/backend/run.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/secret/decryptor.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "ffconv/plan/counts.h"
#include "ffconv/plan/labels.h"
#include "ffconv/plan/memory.h"
#include "support/error_of.h"
#include "support/evaluation_keys.h"
#include "support/program_builder.h"
#include "support/residues.h"

namespace ffconv::backend {
namespace {

using testing::cyclic_labels;
using testing::error_of;
using ::testing::HasSubstr;
using testing::insecure_spec;
using testing::ProgramBuilder;

constexpr double kScale = 0x1p36;

std::vector<double> random_values(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(-1.0, 1.0);
  std::vector<double> values(count);
  for (double& value : values) {
    value = uniform(random);
  }
  return values;
}

// A program with its data owner: secret, keys, encrypted inputs.
struct Encrypted {
  explicit Encrypted(plan::Program p)
      : program(std::move(p)),
        context(Context::make(Params(program.params))),
        secret(SecretKey::generate(context)) {
    keys = testing::make_keys(secret, plan::key_request(program));
  }

  std::vector<Ciphertext> encrypt_inputs(const std::vector<double>& image) const {
    std::vector<Ciphertext> inputs;
    for (std::size_t i = 0; i < program.input_labels.size(); ++i) {
      const auto slots = plan::pack(program.input_labels[i], image);
      inputs.push_back(encrypt(
          secret, encode(*context, slots, program.values[i].scale, program.values[i].level)));
    }
    return inputs;
  }

  plan::Program program;
  ContextPtr context;
  SecretKey secret;
  EvaluationKeys keys;
};

std::vector<std::vector<double>> run_in_the_clear(const plan::Program& program,
                                                  const std::vector<double>& image) {
  ClearBackend clear(program);
  std::vector<ClearBackend::Ciphertext> inputs;
  for (std::int32_t i = 0; i < program.input_count; ++i) {
    inputs.push_back(clear.encrypt(i, image));
  }
  std::vector<std::vector<double>> slots;
  for (const auto& output : run(program, clear, inputs)) {
    slots.push_back(output.slots);
  }
  return slots;
}

struct Case {
  std::string name;
  plan::Program program;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

// One small program per operation, and one that chains them all.
std::vector<Case> cases() {
  const auto period = std::size_t{64};
  std::vector<Case> all;
  const auto add = [&](const std::string& name, const auto& body) {
    ProgramBuilder builder(insecure_spec());
    const auto x = builder.input(cyclic_labels(64, period), kScale, 1.0);
    const auto y = builder.input(cyclic_labels(32, 32), kScale, 1.0);
    builder.output(body(builder, x, y), {0});
    all.push_back({name, builder.finish(0x1p-20)});
  };
  using B = ProgramBuilder;
  add("rotate", [](B& b, auto x, auto) { return b.rotate(x, 5); });
  add("rotate_by_nothing", [](B& b, auto x, auto) { return b.rotate(x, 0); });
  add("rotate_sum", [](B& b, auto x, auto) { return b.rotate_sum(x, {0, 1, 7, 500}, 4.0); });
  add("add", [](B& b, auto x, auto y) { return b.add(x, y, 2.0); });
  add("add_to_itself", [](B& b, auto x, auto) { return b.add(x, x, 2.0); });
  add("add_plain",
      [](B& b, auto x, auto) { return b.add_plain(x, b.vector(random_values(16, 1)), 2.0); });
  add("multiply_plain", [](B& b, auto x, auto) {
    return b.rescale(b.multiply_plain(x, b.vector(random_values(128, 2)), 1.0));
  });
  add("multiply_by_a_constant",
      [](B& b, auto x, auto) { return b.rescale(b.multiply_plain(x, b.vector({-0.375}), 0.5)); });
  add("square", [](B& b, auto x, auto) { return b.rescale(b.relinearize(b.square(x))); });
  add("multiply", [](B& b, auto x, auto y) { return b.relinearize(b.rescale(b.multiply(x, y))); });
  add("relinearize_rescale", [](B& b, auto x, auto) { return b.relinearize_rescale(b.square(x)); });
  add("drop_level", [](B& b, auto x, auto) { return b.drop_level(x, 1); });
  add("linear_without_rotation", [](B& b, auto x, auto y) {
    const auto v = b.vector(random_values(64, 3)), w = b.vector(random_values(1, 4));
    return b.rescale(
        b.linear({x, y}, 2, {{0, 0, 0, 0, v}, {1, 0, 0, 0, w}, {1, 1, 0, 0, v}}, 2.0)[0]);
  });
  add("linear_of_constants", [](B& b, auto x, auto y) {
    const auto v = b.vector({0.75}), w = b.vector({-0.5});
    const auto out = b.linear(
        {x, y}, 2, {{0, 0, 0, 0, v}, {1, 0, 0, 0, w}, {0, 0, 0, 0, w}, {1, 1, 0, 0, v}}, 2.0);
    return b.rescale(b.add(out[0], out[1], 2.0));
  });
  add("linear_of_two_outputs", [](B& b, auto x, auto y) {
    const auto v = b.vector(random_values(64, 5)), w = b.vector(random_values(1024, 6));
    const auto out = b.linear(
        {x, y}, 2,
        {{0, 0, 1, 0, v}, {1, 0, 1, 32, w}, {0, 0, 0, 32, v}, {1, 1, 3, 0, w}, {0, 1, 3, 900, v}},
        3.0);
    return b.add(b.rescale(out[0]), b.rescale(out[1]), 6.0);
  });
  add("everything", [](B& b, auto x, auto y) {
    std::vector<plan::LinearTerm> terms;
    for (std::int32_t k = 0; k < 4; ++k) {
      terms.push_back({k % 2, 0, k % 2, k / 2 * 2,
                       b.vector(random_values(64, static_cast<std::uint64_t>(100 + k)))});
    }
    auto z = b.rescale(b.linear({x, y}, 1, terms, 4.0)[0]);
    z = b.add_plain(z, b.vector(random_values(64, 7)), 5.0);
    z = b.relinearize(b.rescale(b.square(z)));
    z = b.rotate_sum(z, {0, 16, 32, 48}, 100.0);
    z = b.rescale(b.multiply_plain(z, b.vector(random_values(64, 8)), 100.0));
    return b.add(z, b.rotate(z, 3), 200.0);
  });
  return all;
}

class CkksBackendCase : public ::testing::TestWithParam<Case> {};

TEST_P(CkksBackendCase, AgreesWithTheClearBackendWithinThePredictedNoise) {
  const std::uint64_t seed = 11;
  SCOPED_TRACE(seed);
  const Encrypted owner(GetParam().program);
  const std::vector<double> image = random_values(64, seed);
  const EncodedProgram encoded(owner.program, owner.context);
  CkksBackend ckks(encoded, owner.keys);
  const auto outputs = run(owner.program, ckks, owner.encrypt_inputs(image));
  const auto expected = run_in_the_clear(owner.program, image);
  ASSERT_EQ(outputs.size(), 1u);
  const std::vector<double> got = decrypt_raw(owner.secret, outputs[0]);
  double largest = 0, squares = 0;
  for (std::size_t s = 0; s < got.size(); ++s) {
    const double error = got[s] - expected[0][s % expected[0].size()];
    largest = std::max(largest, std::abs(error));
    squares += error * error;
  }
  const double predicted = outputs[0].noise.error_std / outputs[0].scale;
  const double measured = std::sqrt(squares / static_cast<double>(got.size()));
  // Estimates take operands as independent: a value added to itself has sqrt(2) times that error.
  // Single slots may stand out, since what relinearization meets is multiplied by the slot's own
  // s^2.
  EXPECT_LT(measured, 1.6 * predicted);
  EXPECT_LT(largest, 30.0 * predicted);
  EXPECT_GT(measured, predicted / 8.0) << "the prediction is of little use";
}

INSTANTIATE_TEST_SUITE_P(Operations, CkksBackendCase, ::testing::ValuesIn(cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST(CkksBackend, IsAskedForExactlyWhatWasCounted) {
  const Case everything = cases().back();
  const Encrypted owner(everything.program);
  const EncodedProgram encoded(owner.program, owner.context);
  CkksBackend ckks(encoded, owner.keys);
  CountBackend counting(owner.program, ckks);
  run(owner.program, counting, owner.encrypt_inputs(random_values(64, 1)));
  const plan::OpCounts counted = plan::count(owner.program, default_cost_table()).total;
  EXPECT_EQ(counting.layers()[0].rotations, counted.rotations);
  EXPECT_EQ(counting.layers()[0].hoisted_rotations, counted.hoisted_rotations);
  EXPECT_EQ(counting.layers()[0].plain_products, counted.plain_products);
  EXPECT_EQ(counting.layers()[0].key_switches, counted.key_switches);
}

TEST(EncodedProgram, EncodesAVectorOncePerUse) {
  ProgramBuilder builder(insecure_spec());
  const auto x = builder.input(cyclic_labels(4, 4), kScale, 1.0);
  const auto v = builder.vector({1, 2, 3, 4}), constant = builder.vector({0.5});
  const auto a = builder.linear({x, x}, 1, {{0, 0, 0, 0, v}, {1, 0, 0, 0, v}}, 8.0)[0];
  const auto b = builder.multiply_plain(x, v, 4.0);                  // not packed
  const auto c = builder.linear({x}, 1, {{0, 0, 1, 0, v}}, 4.0)[0];  // over the special primes
  const auto d = builder.multiply_plain(x, constant, 1.0);           // needs no plaintext
  auto sum = builder.rescale(builder.add(builder.add(a, b, 12.0), builder.add(c, d, 5.0), 17.0));
  builder.output(builder.rescale(builder.multiply_plain(sum, v, 68.0)), {0});  // at another level
  const plan::Program program = builder.finish(0x1p-20);

  const ContextPtr context = Context::make(Params(program.params));
  std::vector<std::size_t> reported;
  const EncodedProgram encoded(program, context,
                               [&](std::string_view, std::size_t done, std::size_t total) {
                                 reported.push_back(done);
                                 EXPECT_EQ(total, 4u);
                               });
  EXPECT_EQ(reported, (std::vector<std::size_t>{1, 2, 3, 4}));
  // a: 4 limbs of 6 bytes a word; b: 4 of 8; c: 4 and a special one of 6; the last: 3 of 8.
  EXPECT_EQ(encoded.bytes(), (4 * 6 + 4 * 8 + 5 * 6 + 3 * 8) * context->n());
  EXPECT_EQ(encoded.transform(program.instructions[0]).groups.size(), 1u);
  EXPECT_EQ(encoded.plaintext(program.instructions[3]), nullptr);
  EXPECT_EQ(encoded.scalars(program.instructions[0]), nullptr);
}

TEST(EncodedProgram, KeepsWeightsSmallWhereToldTo) {
  ProgramBuilder builder(insecure_spec());
  const auto x = builder.input(cyclic_labels(64, 64), kScale, 1.0);
  const auto weights = [&](std::uint64_t seed) {
    std::vector<double> values = random_values(64, seed);
    for (double& value : values) {
      value /= 1024;  // small at the scale of a prime
    }
    return builder.vector(values);
  };
  const auto v = weights(1), w = weights(2);
  const auto sum =
      builder.linear({x}, 1, {{0, 0, 0, 0, v}, {0, 0, 1, 0, w}, {0, 0, 1, 2, v}}, 1.0)[0];
  builder.output(builder.rescale(sum), {0});
  const Encrypted owner(builder.finish(0x1p-20));
  const plan::Program& program = owner.program;
  ASSERT_GT(plan::expansion_us(program, program.instructions[0], default_cost_table()), 0);

  const std::vector<bool> small = {true, false};
  const EncodedProgram kept(program, owner.context), made(program, owner.context, {}, small);
  EXPECT_LT(made.bytes(), kept.bytes());
  EXPECT_EQ(made.bytes(), plan::memory_of(program, owner.context->params(), small).weights);
  const auto inputs = owner.encrypt_inputs(random_values(64, 3));
  CkksBackend by_kept(kept, owner.keys), by_made(made, owner.keys);
  EXPECT_TRUE(testing::residues(run(program, by_kept, inputs)) ==
              testing::residues(run(program, by_made, inputs)));
}

TEST(EncodedProgram, IsOfItsProgramsParametersOnly) {
  const plan::Program program = testing::small_program(insecure_spec(), kScale, 0x1p-20);
  ParamsSpec other = insecure_spec();
  other.levels[3].special.clear();
  const ContextPtr context = Context::make(Params(other));
  error_of(ErrorCode::kMismatch, [&] { EncodedProgram(program, context); });
}

TEST(EncodedProgram, RefusesWeightsTooLargeForTheirScale) {
  ProgramBuilder builder(insecure_spec());
  const auto x = builder.input(cyclic_labels(4, 4), kScale, 1.0);
  const auto v = builder.vector({0x1p30, 0});
  builder.output(builder.rescale(builder.multiply_plain(x, v, 0x1p30)), {0});
  const plan::Program program = builder.finish(0x1p-20);
  const ContextPtr context = Context::make(Params(program.params));
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [&] { EncodedProgram(program, context); }),
              HasSubstr("exceeds the limit"));
}

class CkksBackendRefusal : public ::testing::Test {
 protected:
  std::string refusal(ErrorCode code, const EvaluationKeys& keys,
                      const std::vector<Ciphertext>& inputs) {
    const EncodedProgram encoded(owner_.program, owner_.context);
    CkksBackend ckks(encoded, keys);
    return error_of(code, [&] { run(owner_.program, ckks, inputs); });
  }
  static plan::Program rotation() {
    ProgramBuilder builder(insecure_spec());
    const auto x = builder.input(cyclic_labels(4, 4), kScale, 1.0);
    builder.output(builder.rotate(x, 3), {0});
    return builder.finish(0x1p-20);
  }
  Encrypted owner_{rotation()};
  std::vector<Ciphertext> inputs_ = owner_.encrypt_inputs({0.1, 0.2, 0.3, 0.4});
};

TEST_F(CkksBackendRefusal, NamesAMissingKey) {
  EXPECT_THAT(refusal(ErrorCode::kMissingKey, {}, inputs_), HasSubstr("rotations by 3"));
}

TEST_F(CkksBackendRefusal, NamesAnUnexpectedScale) {
  inputs_[0].scale *= 2;
  EXPECT_THAT(refusal(ErrorCode::kMismatch, owner_.keys, inputs_),
              HasSubstr("register 1: the program expects level 3"));
}

TEST_F(CkksBackendRefusal, NamesAnUnexpectedLevel) {
  const auto slots = std::vector<double>{1, 2, 3, 4};
  inputs_[0] = encrypt(owner_.secret, encode(*owner_.context, slots, kScale, 2));
  EXPECT_THAT(refusal(ErrorCode::kMismatch, owner_.keys, inputs_), HasSubstr("got 2, 2 and"));
}

}  // namespace
}  // namespace ffconv::backend
