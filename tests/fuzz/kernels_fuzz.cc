// All kernel tiers against each other: the input says which kernel runs, at which ring and prime,
// on which words. What every tier gives, exported, must be what the scalar tier gives, bit for bit,
// and every limb must hold words that its form allows (kernels.h).
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "ffconv/ring/kernels/embedding_tables.h"
#include "ffconv/ring/ring.h"
#include "fuzz/kernel_case.h"
#include "ring/all_tiers.h"

namespace ffconv::fuzz {
namespace {

using Results = std::vector<Values>;  // canonical residues or bits: equal in all tiers

template <typename T>
Values bits(const AlignedBuffer<T>& x) {
  Values result;
  for (const T value : x) {
    if constexpr (sizeof(T) == sizeof(std::uint64_t)) {
      result.push_back(std::bit_cast<std::uint64_t>(value));
    } else {
      result.push_back(static_cast<std::uint64_t>(value));
    }
  }
  return result;
}

Results import_limb(const Tier& t) {
  return {t.checked(t.import(t.in.residues(0, t.tables.q))), t.checked(t.operand(0))};
}

Results import_signed(const Tier& t) {
  constexpr std::int64_t kLimit = (std::int64_t{1} << 62) - 1;
  const auto q = static_cast<std::int64_t>(t.tables.q);
  const std::int64_t extremes[] = {0, 1, -1, kLimit, -kLimit, q, -q, kLimit / q * q, (q + 1) / 2};
  std::vector<std::int64_t> x(t.n);
  for (std::size_t i = 0; i < t.n; ++i) {
    x[i] = t.in.patterns[0].at(i, extremes, [](std::uint64_t h) {
      return static_cast<std::int64_t>(h) >> (2 + (h & 31));
    });
  }
  Limb dst(t.n);
  t.kernels.import_signed(dst.data(), x.data(), t.n, t.tables);
  return {t.checked(dst)};
}

Results import_small(const Tier& t) {
  constexpr std::int8_t kExtremes[] = {0, 1, -1, 127, -127};
  std::vector<std::int8_t> x(t.n + 1);  // from the second on: no alignment
  for (std::size_t i = 0; i < t.n; ++i) {
    x[i + 1] = t.in.patterns[0].at(i, kExtremes, [](std::uint64_t h) {
      return static_cast<std::int8_t>(static_cast<int>(h % 255) - 127);
    });
  }
  Limb dst(t.n);
  t.kernels.import_small(dst.data(), x.data() + 1, t.n, t.tables);
  return {t.checked(dst)};
}

template <auto kTransform>
Results transform(const Tier& t) {
  Limb x = t.operand(0);
  (t.kernels.*kTransform)(x.data(), t.tables);
  return {t.checked(x)};
}

// apply(dst, a, b) with dst a limb of its own or one of the two, which may be one.
template <typename Apply>
Results pointwise(const Tier& t, const Apply& apply) {
  Limb a = t.operand(0), b = t.operand(1), apart = t.operand(2);
  Limb* const places[] = {&apart, &a, &b};
  Limb& dst = *places[t.in.alias % 3];
  apply(dst.data(), a.data(), (t.in.alias & 4) != 0 ? a.data() : b.data());
  return {t.checked(dst)};
}

template <auto kKernel>
Results of_two(const Tier& t) {
  return pointwise(t, [&](Word* dst, const Word* a, const Word* b) {
    (t.kernels.*kKernel)(dst, a, b, t.n, t.tables);
  });
}

Results mul_constant(const Tier& t) {
  const Constant c = t.kernels.make_constant(t.in.constant, t.tables.q);
  return pointwise(t, [&](Word* dst, const Word* a, const Word*) {
    t.kernels.mul_constant(dst, a, c, t.n, t.tables);
  });
}

Results mul_constant_sub(const Tier& t) {
  const Constant c = t.kernels.make_constant(t.in.constant, t.tables.q);
  return pointwise(t, [&](Word* dst, const Word* a, const Word* b) {
    t.kernels.mul_constant_sub(dst, a, c, b, t.n, t.tables);
  });
}

Results tensor(const Tier& t) {
  const Limb x[] = {t.operand(0), t.operand(1), t.operand(2), t.operand(3)};
  Limb d0(t.n), d1(t.n), d2(t.n);
  const std::size_t b = (t.in.alias & 1) != 0 ? 0 : 2;  // a square
  t.kernels.tensor(d0.data(), d1.data(), d2.data(), x[0].data(), x[1].data(), x[b].data(),
                   x[b + 1].data(), t.n, t.tables);
  return {t.checked(d0), t.checked(d1), t.checked(d2)};
}

// `count` pointers to operands.
std::vector<const Word*> pick(const Tier& t, const std::vector<Limb>& operands, std::size_t count,
                              std::uint64_t salt) {
  std::vector<const Word*> picked;
  for (std::size_t j = 0; j < count; ++j) {
    picked.push_back(operands[mix(t.in.choice + salt + j) % operands.size()].data());
  }
  return picked;
}

std::vector<Limb> all_operands(const Tier& t) {
  std::vector<Limb> operands;
  for (std::size_t k = 0; k < kOperands; ++k) {
    operands.push_back(t.operand(k));
  }
  return operands;
}

Results packed_pair_products(const Tier& t) {
  const auto operands = all_operands(t);
  const auto a = pick(t, operands, 2 * t.in.terms, 0), b = pick(t, operands, t.in.terms, 2000);
  const std::size_t stride = a.size() * kRunBytes + t.in.alias;
  std::vector<std::uint8_t> packed(t.n / kPackedRun * stride + kRunBytes);
  for (std::size_t k = 0; k < a.size(); ++k) {
    t.kernels.pack48(packed.data() + k * kRunBytes, stride, a[k], t.n, t.tables);
  }
  Limb d0 = operands[0], d1 = operands[1];
  t.kernels.packed_pair_products(d0.data(), d1.data(), packed.data(), stride, b.data(), t.in.terms,
                                 (t.in.alias & 1) != 0, t.n, t.tables);
  return {t.checked(d0), t.checked(d1)};
}

Results packed_products(const Tier& t) {
  const auto operands = all_operands(t);
  const std::size_t stride = kOperands * kRunBytes + t.in.alias, terms = t.in.terms % 70;
  // What stands between the runs is nobody's: it stays.
  std::vector<std::uint8_t> packed(t.n / kPackedRun * stride + kRunBytes, 0xa5);
  for (std::size_t k = 0; k < kOperands; ++k) {
    t.kernels.pack48(packed.data() + k * kRunBytes, stride, operands[k].data(), t.n, t.tables);
  }
  Results results = {Values(packed.begin(), packed.end())};
  const auto a0 = pick(t, operands, terms, 0), a1 = pick(t, operands, terms, 1000);
  std::vector<const std::uint8_t*> b;
  for (std::size_t j = 0; j < t.in.rows * terms; ++j) {
    b.push_back(packed.data() + mix(t.in.choice + 2000 + j) % kOperands * kRunBytes);
  }
  std::vector<Limb> sums(2 * t.in.rows, Limb(t.n));
  std::vector<Word*> dst;
  for (Limb& sum : sums) {
    dst.push_back(sum.data());
  }
  t.kernels.packed_products(dst.data(), dst.data() + t.in.rows, t.in.rows, a0.data(), a1.data(),
                            terms, b.data(), stride, t.n, t.tables);
  for (const Limb& sum : sums) {
    results.push_back(t.checked(sum));
  }
  return results;
}

WordPermutation rotation(const Tier& t) {
  const std::uint64_t primes[] = {t.tables.q};
  return Ring(t.in.log_n, primes, kScalarKernels).rotation(t.in.choice % t.n);
}

Results permute(const Tier& t) {
  const WordPermutation permutation = rotation(t);
  const Limb src = t.operand(0);
  Limb dst(t.n);
  const std::size_t smallest = std::size_t{1} << t.kernels.min_log_n;
  const std::size_t run = std::max(t.n >> (t.in.alias % 4), smallest);
  for (std::size_t begin = 0; begin < t.n; begin += run) {
    const std::uint32_t* const source = permutation.source.data() + begin;
    t.kernels.permute(dst.data() + begin, src.data() + (*source & ~(run - 1)), source, run);
  }
  return {t.checked(dst)};
}

Results sub_add_permute(const Tier& t) {
  const WordPermutation permutation = rotation(t);
  const Limb a = t.operand(0), b = t.operand(1), c = t.operand(2);
  Limb dst(t.n);
  t.kernels.sub_add_permute(dst.data(), a.data(), (t.in.alias & 1) != 0 ? b.data() : nullptr,
                            (t.in.alias & 2) != 0 ? c.data() : nullptr, permutation.source.data(),
                            t.n, t.tables);
  return {t.checked(dst)};
}

// The primes that digits are made of: of all sizes, the same in every run.
const Values& source_primes(int log_n) {
  static std::map<int, Values> all;
  Values& primes = all[log_n];
  while (primes.size() < kMaxSources) {
    primes.push_back(find_prime(log_n, 46.0 - 4.0 * (primes.size() % 8), primes));
  }
  return primes;
}

const LimbTier& source_tier(const Kernels& kernels, int log_n, std::size_t j) {
  static std::map<std::tuple<const Kernels*, int, std::size_t>, LimbTier> all;
  return all.try_emplace({&kernels, log_n, j}, kernels, source_primes(log_n)[j], log_n)
      .first->second;
}

// Digits of as many primes as the input says.
struct Digits {
  std::vector<Limb> digits;
  std::vector<const Word*> pointers;
  std::vector<double> moduli, inverses;

  explicit Digits(const Tier& t) {
    for (std::size_t j = 0; j < t.in.sources; ++j) {
      const LimbTier& source = source_tier(t.kernels, t.in.log_n, (j + t.in.choice) % kMaxSources);
      const std::uint64_t q = source.tables.q;
      Limb& digit = digits.emplace_back(t.operand(j % kOperands, source));
      const Constant c = t.kernels.make_constant(j == 0 ? t.in.choice % q : 1, q);
      t.kernels.make_digit(digit.data(), digit.data(), c, t.n, source.tables);
      moduli.push_back(static_cast<double>(q));
      inverses.push_back(1.0 / static_cast<double>(q));
    }
    for (const Limb& digit : digits) {
      pointers.push_back(digit.data());
    }
  }
};

Results extend(const Tier& t) {
  Digits d(t);
  Results results;
  for (const Limb& digit : d.digits) {
    results.push_back(t.integers(digit));
  }
  const std::size_t count = d.digits.size();
  Limb overflow(t.n), apart(t.n);
  t.kernels.digit_overflow(overflow.data(), d.pointers.data(), d.inverses.data(), count, t.n);
  results.push_back(t.integers(overflow));
  std::vector<Constant> weights;
  for (std::size_t j = 0; j < count; ++j) {
    weights.push_back(
        t.kernels.make_constant(Case::residue(t.in.patterns[1], j, t.tables.q), t.tables.q));
  }
  Limb& dst = (t.in.alias & 1) != 0 ? d.digits[0] : apart;
  t.kernels.extend(dst.data(), d.pointers.data(), weights.data(), count,
                   (t.in.alias & 2) != 0 ? overflow.data() : nullptr,
                   t.kernels.make_constant(t.in.constant, t.tables.q), t.n, t.tables);
  results.push_back(t.checked(dst));
  return results;
}

Results combine_digits(const Tier& t) {
  const Digits d(t);
  AlignedBuffer<double> dst(t.n);
  t.kernels.combine_digits(dst.data(), d.pointers.data(), d.moduli.data(), d.digits.size(), t.n);
  return {bits(dst)};
}

template <auto kTransform>
Results fft(const Tier& t) {
  static std::map<int, EmbeddingTables> all;
  const EmbeddingTables& tables = all.try_emplace(t.in.log_n, t.in.log_n).first->second;
  AlignedBuffer<double> x = t.in.doubles();
  (t.kernels.*kTransform)(x.data(), tables);
  return {bits(x)};
}

Results round_to_signed(const Tier& t) {
  const AlignedBuffer<double> x = t.in.doubles();
  const double magnitude = std::ldexp(1.0 + static_cast<double>(t.in.choice >> 40) * 0x1p-24,
                                      static_cast<int>(t.in.choice % 80) - 40);
  const double factor = t.in.alias % 3 == 0 ? 1.0 : t.in.alias % 3 == 1 ? magnitude : -magnitude;
  AlignedBuffer<std::int64_t> dst(t.n);
  const double largest = t.kernels.round_to_signed(dst.data(), x.data(), factor, t.n);
  return {{std::bit_cast<std::uint64_t>(largest)}, largest < 0x1p62 ? bits(dst) : Values()};
}

Results invert_cumulative(const Tier& t) {
  constexpr std::uint64_t kTop = (std::uint64_t{1} << 63) - 1;
  const std::uint64_t edges[] = {0, 1, kTop, kTop - 1, kTop / 2, kTop / 2 + 1};
  Values table;
  for (std::size_t k = 0; k < t.in.sources * 2 + 1; ++k) {  // at most 127
    table.push_back(t.in.patterns[0].at(k, edges, [](std::uint64_t h) { return h >> 1; }));
  }
  AlignedBuffer<std::uint64_t> random(32 * t.in.rows);
  for (std::size_t i = 0; i < random.size(); ++i) {
    const std::uint64_t near = table[i % table.size()];
    const std::uint64_t around[] = {2 * near, 2 * near + 1, 2 * near + 2, 2 * near - 1};
    random[i] = t.in.patterns[1].at(i, around, [](std::uint64_t h) { return h; });
  }
  AlignedBuffer<std::int8_t> dst(random.size());
  t.kernels.invert_cumulative(dst.data(), random.data(), random.size(), table.data(), table.size());
  return {bits(dst)};
}

constexpr struct {
  const char* name;
  Results (*run)(const Tier&);
} kOperations[] = {
    {"import_limb, export_limb", import_limb},
    {"import_signed", import_signed},
    {"import_small", import_small},
    {"ntt_forward", transform<&Kernels::ntt_forward>},
    {"ntt_inverse", transform<&Kernels::ntt_inverse>},
    {"add", of_two<&Kernels::add>},
    {"sub", of_two<&Kernels::sub>},
    {"mul", of_two<&Kernels::mul>},
    {"add_product", of_two<&Kernels::add_product>},
    {"sub_product", of_two<&Kernels::sub_product>},
    {"mul_constant", mul_constant},
    {"mul_constant_sub", mul_constant_sub},
    {"tensor", tensor},
    {"packed_pair_products", packed_pair_products},
    {"pack48, packed_products", packed_products},
    {"permute", permute},
    {"sub_add_permute", sub_add_permute},
    {"make_digit, digit_overflow, extend", extend},
    {"combine_digits", combine_digits},
    {"fft_forward", fft<&Kernels::fft_forward>},
    {"fft_inverse", fft<&Kernels::fft_inverse>},
    {"round_to_signed", round_to_signed},
    {"invert_cumulative", invert_cumulative},
};

}  // namespace
}  // namespace ffconv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ffconv;
  using namespace ffconv::fuzz;
  FuzzedDataProvider bytes(data, size);
  const auto& operation = bytes.PickValueInArray(kOperations);
  const Case input(bytes);
  const Results expected = operation.run(Tier(kScalarKernels, input, operation.name));
  for (const Kernels* kernels : all_tiers()) {
    if (kernels != &kScalarKernels && input.log_n >= kernels->min_log_n &&
        operation.run(Tier(*kernels, input, operation.name)) != expected) {
      report(operation.name, *kernels, input, "another result than the scalar tier's");
    }
  }
  return 0;
}
