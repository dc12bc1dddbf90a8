#include "ffconv/wire/parameters_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/wire/file.h"
#include "support/error_of.h"
#include "support/program_builder.h"
#include "support/temporary_directory.h"

namespace ffconv::wire {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

// What somebody would write who leaves our checks out.
std::vector<std::uint8_t> forged(const ParamsSpec& spec, const Fingerprint& fingerprint) {
  ByteWriter writer = begin_file();
  write_spec(writer, spec);
  return end_file(std::move(writer), {Kind::kParameters, fingerprint});
}

TEST(ParametersFile, GivesTheSamePrimesBack) {
  const testing::TemporaryDirectory directory;
  const Params params = Params::from_depth(3, 40, 46);
  save(directory.path() / "params", params);
  const Params back = load_parameters(directory.path() / "params");
  EXPECT_EQ(back.spec(), params.spec());
  EXPECT_EQ(back.q(), params.q());
  EXPECT_EQ(back.p(), params.p());
  EXPECT_EQ(back.fingerprint(), params.fingerprint());
}

TEST(ParametersFile, PrimesOfALargerRingAreKept) {
  const Params half(halved(one_prime_a_level(14, {44, 40}, {46}, 1, 1), 1));
  const Params back = parse_parameters(to_bytes(half), "p");
  EXPECT_EQ(back.spec(), half.spec());
  EXPECT_EQ(back.spec().prime_log_n, 14);
  EXPECT_EQ(back.q(), half.q());
  EXPECT_EQ(back.fingerprint(), half.fingerprint());
}

TEST(ParametersFile, OneBitBeyondTheSecurityTableIsRefused) {
  ParamsSpec spec = testing::smallest_secure_spec();  // 53 of 54 bits
  spec.q_bits[1] += 2;
  EXPECT_THAT(error_of(ErrorCode::kInsecure, [&] { parse_parameters(forged(spec, {}), "p"); }),
              HasSubstr("p: level 1: log2 QP"));
}

TEST(ParametersFile, ParametersForTestingAreNotWritten) {
  const Params params(testing::insecure_spec());
  EXPECT_THAT(error_of(ErrorCode::kInsecure, [&] { to_bytes(params); }),
              HasSubstr("parameters for testing"));
}

// Their fingerprint says that they are for testing; read back, they are held to the table.
TEST(ParametersFile, ParametersForTestingAreNotRead) {
  ParamsSpec spec = testing::insecure_spec();
  const Fingerprint fingerprint = Params(spec).fingerprint();
  spec.security = Security::k128;
  error_of(ErrorCode::kInsecure, [&] { parse_parameters(forged(spec, fingerprint), "p"); });

  spec = testing::smallest_secure_spec();
  spec.security = Security::kInsecureForTesting;
  const Fingerprint testing_fingerprint = Params(spec).fingerprint();
  spec.security = Security::k128;
  error_of(ErrorCode::kMismatch, [&] { parse_parameters(forged(spec, testing_fingerprint), "p"); });
}

TEST(ParametersFile, FieldsOutOfRangeAreNamed) {
  ParamsSpec spec = testing::smallest_secure_spec();
  spec.log_n = 40;
  EXPECT_THAT(
      error_of(ErrorCode::kInvalidArgument, [&] { parse_parameters(forged(spec, {}), "p"); }),
      HasSubstr("p: log_n: expected 10 to 17, got 40"));
  spec = testing::smallest_secure_spec();
  spec.prime_log_n = spec.log_n;
  EXPECT_THAT(
      error_of(ErrorCode::kInvalidArgument, [&] { parse_parameters(forged(spec, {}), "p"); }),
      HasSubstr("p: prime_log_n: expected 0 or the log_n of a larger ring, 12 to 17, got 11"));
}

}  // namespace
}  // namespace ffconv::wire
