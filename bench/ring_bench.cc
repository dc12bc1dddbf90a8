// Every kernel on one limb, in every tier of this machine; and what stands directly on kernels.
#include <memory>
#include <random>

#include <fmt/format.h>

#include "bench.h"
#include "ffconv/ring/primes.h"
#include "ffconv/ring/samplers.h"

namespace ffconv::bench {
namespace {

using State = benchmark::State;
using Limb = AlignedBuffer<Word>;

constexpr int kPrimeBits = 46;
constexpr std::size_t kPrimes = 4;  // sources of a base extension

// One ring in one tier, and random limbs modulo its first prime.
struct Fixture {
  Ring ring;
  std::vector<Limb> limbs;

  Fixture(int log_n, const std::vector<std::uint64_t>& primes, const Kernels& kernels)
      : ring(log_n, primes, kernels) {
    std::mt19937_64 random(1);
    AlignedBuffer<std::uint64_t> residues(ring.n());
    for (int i = 0; i < 8; ++i) {
      for (std::uint64_t& residue : residues) {
        residue = random() % primes[0];
      }
      limbs.emplace_back(ring.n());
      kernels.import_limb(limbs.back().data(), residues.data(), ring.n(), ring.tables(0));
    }
  }
  const Kernels& kernels() const { return ring.kernels(); }
  const LimbTables& tables() const { return ring.tables(0); }
  std::size_t n() const { return ring.n(); }
};

using FixturePtr = std::shared_ptr<Fixture>;

// Runs kernel(fixture, dst) once an iteration.
template <typename Kernel>
void add_kernel(const std::string& operation, const FixturePtr& fixture, Kernel kernel,
                const std::string& detail = "") {
  const std::string name =
      fmt::format("{}/log_n={}/q_bits={}{}/{}", operation, fixture->ring.log_n(), kPrimeBits,
                  detail, fixture->kernels().name);
  add(name, [fixture, kernel](State& state) {
    Limb dst = fixture->limbs[0];
    for (auto _ : state) {
      kernel(*fixture, dst.data());
      benchmark::ClobberMemory();
    }
  });
}

void add_transforms(const FixturePtr& fixture) {
  add_kernel("ntt_forward", fixture,
             [](const Fixture& f, Word* dst) { f.kernels().ntt_forward(dst, f.tables()); });
  add_kernel("ntt_inverse", fixture,
             [](const Fixture& f, Word* dst) { f.kernels().ntt_inverse(dst, f.tables()); });
  for (const std::size_t step : {std::size_t{1}, fixture->n() / 2}) {
    const auto rotation = std::make_shared<WordPermutation>(fixture->ring.rotation(step));
    add_kernel(
        "permute", fixture,
        [rotation](const Fixture& f, Word* dst) {
          f.kernels().permute(dst, f.limbs[1].data(), rotation->source.data(), f.n());
        },
        fmt::format("/step={}", step));
  }
}

void add_pointwise(const FixturePtr& fixture) {
  add_kernel("add", fixture, [](const Fixture& f, Word* dst) {
    f.kernels().add(dst, f.limbs[1].data(), f.limbs[2].data(), f.n(), f.tables());
  });
  add_kernel("mul", fixture, [](const Fixture& f, Word* dst) {
    f.kernels().mul(dst, f.limbs[1].data(), f.limbs[2].data(), f.n(), f.tables());
  });
  const Constant constant = fixture->ring.constant(0x123456789abc, 0);
  add_kernel("mul_constant", fixture, [constant](const Fixture& f, Word* dst) {
    f.kernels().mul_constant(dst, f.limbs[1].data(), constant, f.n(), f.tables());
  });
  add_kernel("mul_constant_sub", fixture, [constant](const Fixture& f, Word* dst) {
    f.kernels().mul_constant_sub(dst, f.limbs[1].data(), constant, f.limbs[2].data(), f.n(),
                                 f.tables());
  });
}

void add_conversions(const FixturePtr& fixture) {
  add_kernel("export_limb", fixture, [](const Fixture& f, Word* dst) {
    f.kernels().export_limb(dst, f.limbs[1].data(), f.n(), f.tables());
  });
  const auto residues = std::make_shared<AlignedBuffer<std::uint64_t>>(fixture->n());
  fixture->kernels().export_limb(residues->data(), fixture->limbs[1].data(), fixture->n(),
                                 fixture->tables());
  add_kernel("import_limb", fixture, [residues](const Fixture& f, Word* dst) {
    f.kernels().import_limb(dst, residues->data(), f.n(), f.tables());
  });
  const auto integers = std::make_shared<AlignedBuffer<std::int64_t>>(fixture->n());
  std::copy(residues->begin(), residues->end(), integers->begin());
  add_kernel("import_signed", fixture, [integers](const Fixture& f, Word* dst) {
    f.kernels().import_signed(dst, integers->data(), f.n(), f.tables());
  });
}

// `terms` products with packed pairs into two sums: a key's with as many digits, in cache.
void add_inner_products(const FixturePtr& fixture) {
  for (const std::size_t terms : {1u, 4u}) {
    const std::string name =
        fmt::format("packed_pair_products/log_n={}/q_bits={}/terms={}/{}", fixture->ring.log_n(),
                    kPrimeBits, terms, fixture->kernels().name);
    add(name, [fixture, terms](State& state) {
      const std::vector<Limb> operands(terms, fixture->limbs[1]);
      const std::size_t stride = 2 * terms * kRunBytes;
      std::vector<std::uint8_t> pairs(fixture->n() / kPackedRun * stride);
      for (std::size_t k = 0; k < 2 * terms; ++k) {
        fixture->kernels().pack48(pairs.data() + k * kRunBytes, stride, fixture->limbs[1].data(),
                                  fixture->n(), fixture->tables());
      }
      std::vector<const Word*> pointers;
      for (const Limb& operand : operands) {
        pointers.push_back(operand.data());
      }
      Limb dst0 = fixture->limbs[0], dst1 = fixture->limbs[0];
      for (auto _ : state) {
        fixture->kernels().packed_pair_products(dst0.data(), dst1.data(), pairs.data(), stride,
                                                pointers.data(), terms, false, fixture->n(),
                                                fixture->tables());
        benchmark::ClobberMemory();
      }
      count_parts(state, "seconds_per_term", static_cast<double>(terms));
    });
  }
}

// The steps of a base extension from kPrimes primes to one.
void add_base_extension(const FixturePtr& fixture) {
  const Constant constant = fixture->ring.constant(0x123456789abc, 0);
  add_kernel("make_digit", fixture, [constant](const Fixture& f, Word* dst) {
    f.kernels().make_digit(dst, f.limbs[1].data(), constant, f.n(), f.tables());
  });
  struct Sources {
    std::vector<Limb> digits;
    std::vector<const Word*> pointers;
    std::vector<double> inverses;
    std::vector<Constant> weights;
    Limb overflow;
  };
  const auto sources = std::make_shared<Sources>();
  for (std::size_t j = 0; j < kPrimes; ++j) {
    Limb digit(fixture->n());
    fixture->kernels().make_digit(digit.data(), fixture->limbs[j].data(), constant, fixture->n(),
                                  fixture->tables());
    sources->digits.push_back(std::move(digit));
    sources->inverses.push_back(1.0 / static_cast<double>(fixture->ring.prime(j)));
    sources->weights.push_back(fixture->ring.constant(0x3456789abcd + j, 0));
  }
  for (const Limb& digit : sources->digits) {
    sources->pointers.push_back(digit.data());
  }
  sources->overflow = Limb(fixture->n());
  fixture->kernels().digit_overflow(sources->overflow.data(), sources->pointers.data(),
                                    sources->inverses.data(), kPrimes, fixture->n());
  const std::string detail = fmt::format("/sources={}", kPrimes);
  add_kernel(
      "digit_overflow", fixture,
      [sources](const Fixture& f, Word* dst) {
        f.kernels().digit_overflow(dst, sources->pointers.data(), sources->inverses.data(), kPrimes,
                                   f.n());
      },
      detail);
  for (const std::size_t count : {kPrimes / 2, kPrimes}) {
    add_kernel(
        "extend", fixture,
        [sources, constant, count](const Fixture& f, Word* dst) {
          f.kernels().extend(dst, sources->pointers.data(), sources->weights.data(), count,
                             sources->overflow.data(), constant, f.n(), f.tables());
        },
        fmt::format("/sources={}", count));
  }
}

void add_samplers(const FixturePtr& fixture) {
  add(fmt::format("sample_uniform/log_n={}/q_bits={}/{}", fixture->ring.log_n(), kPrimeBits,
                  fixture->kernels().name),
      [fixture](State& state) {
        std::uint64_t stream = 0;
        for (auto _ : state) {
          benchmark::DoNotOptimize(sample_uniform_vartime(fixture->ring, {0}, Seed{}, stream++));
        }
      });
  add(fmt::format("sample_gaussian/log_n={}/{}", fixture->ring.log_n(), fixture->kernels().name),
      [fixture](State& state) {
        std::vector<std::int8_t> values(fixture->n());
        SeededStream random(Seed{}, 0);
        for (auto _ : state) {
          sample_gaussian(values, random, fixture->kernels());
          benchmark::ClobberMemory();
        }
      });
}

// No tier has a part in it.
void add_ternary_sampler(int log_n) {
  add(fmt::format("sample_ternary/log_n={}", log_n), [log_n](State& state) {
    std::vector<std::int8_t> values(std::size_t{1} << log_n);
    SeededStream random(Seed{}, 0);
    for (auto _ : state) {
      sample_ternary(values, random);
      benchmark::ClobberMemory();
    }
  });
}

void add_all() {
  for (const int log_n : {13, 14, 15}) {
    std::vector<std::uint64_t> primes;
    for (std::size_t i = 0; i < kPrimes; ++i) {
      primes.push_back(find_prime(log_n, kPrimeBits, primes));
    }
    for (const Kernels* kernels : available_kernels()) {
      const auto fixture = std::make_shared<Fixture>(log_n, primes, *kernels);
      add_transforms(fixture);
      add_pointwise(fixture);
      add_conversions(fixture);
      add_inner_products(fixture);
      add_base_extension(fixture);
      add_samplers(fixture);
    }
    add_ternary_sampler(log_n);
  }
}

}  // namespace
}  // namespace ffconv::bench

int main(int argc, char** argv) {
  ffconv::bench::add_all();
  return ffconv::bench::run(argc, argv);
}
