// Results do not depend on the number of threads: whole programs, encoded and run with several
// numbers of them on the same ciphertexts.
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ffconv/backend/ckks.h"
#include "ffconv/backend/run.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "ffconv/plan/compile.h"
#include "ffconv/plan/labels.h"
#include "plan/networks.h"
#include "support/evaluation_keys.h"
#include "support/residues.h"

namespace ffconv::backend {
namespace {

constexpr std::uint64_t kSeed = 4;  // three linear layers, 2 x 11 x 10 pixels

std::vector<Ciphertext> encrypt_image(const plan::Program& program, const ContextPtr& context,
                                      const SecretKey& secret, const std::vector<double>& image) {
  std::vector<Ciphertext> inputs;
  for (std::size_t i = 0; i < program.input_labels.size(); ++i) {
    const auto slots = plan::pack(program.input_labels[i], image);
    inputs.push_back(
        encrypt(secret, encode(*context, slots, program.values[i].scale, program.values[i].level)));
  }
  return inputs;
}

class ThreadCounts : public ::testing::TestWithParam<plan::Packing> {
 protected:
  void TearDown() override { set_thread_count(before_); }

 private:
  int before_ = thread_count();
};

TEST_P(ThreadCounts, EveryResidueOfTheResultIsTheSame) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  const model::Network network = testing::random_network(kSeed, testing::Activations::kQuadratic);
  plan::CompileOptions options;
  options.packing = GetParam();
  const plan::Program program =
      plan::compile(network, testing::ranges_of(network), options).program;
  const ContextPtr context = Context::make(Params(program.params));
  const SecretKey secret = SecretKey::generate(context);
  const EvaluationKeys keys = testing::make_keys(secret, plan::key_request(program));
  const auto inputs =
      encrypt_image(program, context, secret, testing::random_image(network.input, 1));
  const auto run_with = [&](int threads) {
    set_thread_count(threads);
    const EncodedProgram encoded(program, context);
    CkksBackend backend(encoded, keys);
    return testing::residues(run(program, backend, inputs));
  };
  const auto expected = run_with(1);
  ASSERT_FALSE(expected.empty());
  for (const int threads : {2, 3, 5}) {
    EXPECT_TRUE(run_with(threads) == expected) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Packings, ThreadCounts, ::testing::ValuesIn(plan::kAllPackings),
                         [](const auto& packing) { return std::string(to_string(packing.param)); });

}  // namespace
}  // namespace ffconv::backend
