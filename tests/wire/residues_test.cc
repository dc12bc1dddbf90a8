#include "ffconv/wire/residues.h"

#include <bit>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/ring/samplers.h"
#include "support/error_of.h"
#include "support/program_builder.h"

namespace ffconv::wire {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;

ContextPtr small_context(const Kernels& kernels = active_kernels()) {
  return Context::make(Params(testing::smallest_secure_spec()), kernels);
}

TEST(Residues, ArePackedLowestBitsFirst) {
  const std::vector<std::uint64_t> values = {0b10110, 0b00001, 0b11111, 0b01010};
  std::vector<std::uint8_t> packed(3);
  pack_bits(packed, values, 5);
  EXPECT_THAT(packed, ElementsAre(0b00110110, 0b01111100, 0b00000101));
}

TEST(Residues, ComeBackFromEveryWidth) {
  const std::uint64_t seed = 7;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int bits = 1; bits <= 56; ++bits) {
    std::vector<std::uint64_t> values(33), back(33);
    for (auto& value : values) {
      value = random() >> (64 - bits);
    }
    values[0] = (std::uint64_t{1} << bits) - 1;
    std::vector<std::uint8_t> packed((values.size() * static_cast<std::size_t>(bits) + 7) / 8);
    pack_bits(packed, values, bits);
    unpack_bits(back, packed, bits);
    EXPECT_EQ(back, values) << bits << " bits";
  }
}

TEST(Residues, TakeExactlyTheirPrimesWidth) {
  const Params params(testing::smallest_secure_spec());
  std::size_t q_bits = 0;
  for (const std::uint64_t q : params.q()) {
    q_bits += static_cast<std::size_t>(std::bit_width(q - 1));
  }
  const auto p_bits = static_cast<std::size_t>(std::bit_width(params.p()[0] - 1));
  EXPECT_EQ(poly_bytes(params, 1, false), params.n() * q_bits / 8);
  EXPECT_EQ(poly_bytes(params, 1, true), params.n() * (q_bits + p_bits) / 8);
}

TEST(Residues, OfAPolynomialComeBackInEveryTier) {
  const Seed seed = {1, 2, 3};
  std::vector<std::uint8_t> first;
  for (const Kernels* kernels : available_kernels()) {
    SCOPED_TRACE(kernels->name);
    const ContextPtr context = small_context(*kernels);
    const Basis basis = context->qp_basis(1);
    const Poly<Eval> poly = sample_uniform_vartime(context->ring(), basis, seed, 5);
    ByteWriter writer;
    write_poly(writer, poly);
    EXPECT_EQ(writer.size(), poly_bytes(context->params(), 1, true));
    if (first.empty()) {
      first = writer.view();
    }
    EXPECT_EQ(writer.view(), first) << "the bytes depend on the instruction set";

    ByteReader reader(writer.view(), "test");
    const Poly<Eval> back = read_poly(reader, context->ring(), basis);
    reader.expect_end();
    ByteWriter again;
    write_poly(again, back);
    EXPECT_EQ(again.view(), first);
  }
}

TEST(Residues, AtTheirPrimeAreRefusedAndBelowItRead) {
  const ContextPtr context = small_context();
  const Basis basis = context->q_basis(0);
  const std::uint64_t q = context->params().q()[0];
  const std::size_t n = context->n();
  for (const std::uint64_t excess : {0u, 1u}) {
    std::vector<std::uint64_t> residues(n, 0);
    residues[n - 1] = q - 1 + excess;
    std::vector<std::uint8_t> packed(poly_bytes(context->params(), 0, false));
    pack_bits(packed, residues, static_cast<int>(std::bit_width(q - 1)));
    ByteReader reader(packed, "x.ct");
    const auto read = [&] { read_poly(reader, context->ring(), basis); };
    if (excess == 0) {
      EXPECT_NO_THROW(read());
    } else {
      EXPECT_THAT(error_of(ErrorCode::kFormat, read), HasSubstr("is not below its prime"));
    }
  }
}

}  // namespace
}  // namespace ffconv::wire
