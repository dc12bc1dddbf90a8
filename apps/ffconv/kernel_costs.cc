#include "kernel_costs.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <limits>

#include <fmt/format.h>

#include "ffconv/base/aligned_buffer.h"
#include "ffconv/base/random.h"
#include "ffconv/ring/kernels/kernels.h"
#include "ffconv/ring/primes.h"
#include "ffconv/ring/ring.h"
#include "machine.h"
#include "stopwatch.h"

namespace ffconv::cli {
namespace {

constexpr int kLogN = 14;  // of the limbs that CostTable speaks of
constexpr std::size_t kN = std::size_t{1} << kLogN;
constexpr double kPrimeBits = 40;
constexpr std::size_t kTerms = 4;  // of an inner product: digits of a key, or weights
// One limb of so many keys is more than the last cache of most machines holds.
constexpr std::size_t kKeys = 96;
constexpr std::size_t kKeyStride = 2 * kTerms * kRunBytes;
constexpr std::size_t kKeyBytes = kN / kPackedRun * kKeyStride;
constexpr std::size_t kSources = 2;  // of a base extension

// The shortest of the calls that fit into a budget of time.
double minimum_us(const std::function<void()>& call) {
  constexpr double kBudgetUs = 60'000;
  double best = std::numeric_limits<double>::infinity();
  double spent = 0;
  while (spent < kBudgetUs) {
    Stopwatch watch;
    call();
    const double us = watch.lap_us();
    best = std::min(best, us);
    spent += us;
  }
  return best;
}

using Limb = AlignedBuffer<Word>;

class Bench {
 public:
  Bench() : ring_(kLogN, std::array{find_prime(kLogN, kPrimeBits, {})}), kernels_(ring_.kernels()) {
    for (Limb& limb : limbs_) {
      limb = random_limb();
    }
    for (std::size_t k = 0; k < kKeys * 2 * kTerms; ++k) {
      const std::size_t key = k / (2 * kTerms) * kKeyBytes;
      kernels_.pack48(keys_.data() + key + k % (2 * kTerms) * kRunBytes, kKeyStride,
                      limbs_[0].data(), kN, tables());
    }
  }

  double ntt_forward() {
    return minimum_us([&] { kernels_.ntt_forward(limbs_[0].data(), tables()); });
  }
  double ntt_inverse() {
    return minimum_us([&] { kernels_.ntt_inverse(limbs_[0].data(), tables()); });
  }
  double add() {
    return minimum_us(
        [&] { kernels_.add(limbs_[0].data(), limbs_[1].data(), limbs_[2].data(), kN, tables()); });
  }
  double multiply() {
    return minimum_us(
        [&] { kernels_.mul(limbs_[0].data(), limbs_[1].data(), limbs_[2].data(), kN, tables()); });
  }
  double automorphism() {
    const WordPermutation permutation = ring_.rotation(1);
    return minimum_us([&] {
      kernels_.permute(limbs_[0].data(), limbs_[1].data(), permutation.source.data(), kN);
    });
  }
  // One source limb to one target limb.
  double base_extend() {
    const Constant one = ring_.constant(1, 0);
    std::array<const Word*, kSources> digits;
    for (std::size_t j = 0; j < kSources; ++j) {
      kernels_.make_digit(limbs_[j].data(), limbs_[j].data(), one, kN, tables());
      digits[j] = limbs_[j].data();
    }
    const std::array<Constant, kSources> weights{one, one};
    return minimum_us([&] {
             kernels_.extend(limbs_[2].data(), digits.data(), weights.data(), kSources, nullptr,
                             one, kN, tables());
           }) /
           kSources;
  }
  // One term, one output.
  double multiply_accumulate() {
    std::size_t next = 0;
    std::array<const Word*, kTerms> digits;
    for (std::size_t t = 0; t < kTerms; ++t) {
      digits[t] = limbs_[2 + t % 2].data();
    }
    return minimum_us([&] {
             kernels_.packed_pair_products(limbs_[0].data(), limbs_[1].data(),
                                           keys_.data() + next * kKeyBytes, kKeyStride,
                                           digits.data(), kTerms, false, kN, tables());
             next = (next + 1) % kKeys;
           }) /
           (2 * kTerms);
  }

 private:
  const LimbTables& tables() const { return ring_.tables(0); }
  Limb random_limb() const {
    Limb residues(kN), limb(kN);
    SeededStream stream(random_seed(), 0);
    for (std::uint64_t& x : residues.span()) {
      x = stream.next_u64() % tables().q;
    }
    kernels_.import_limb(limb.data(), residues.data(), kN, tables());
    return limb;
  }

  Ring ring_;
  const Kernels& kernels_;
  std::array<Limb, 4> limbs_;
  AlignedBuffer<std::uint8_t> keys_{kKeys * kKeyBytes};
};

}  // namespace

CostTable measure_kernels(const Progress& progress) {
  struct Measurement {
    double CostTable::*us;
    double (Bench::*measure)();
  };
  constexpr std::array<Measurement, 7> kMeasurements{{
      {&CostTable::ntt_forward_us, &Bench::ntt_forward},
      {&CostTable::ntt_inverse_us, &Bench::ntt_inverse},
      {&CostTable::multiply_accumulate_us, &Bench::multiply_accumulate},
      {&CostTable::base_extend_us, &Bench::base_extend},
      {&CostTable::automorphism_us, &Bench::automorphism},
      {&CostTable::add_us, &Bench::add},
      {&CostTable::multiply_us, &Bench::multiply},
  }};
  Bench bench;
  CostTable table;
  table.machine = fmt::format("{}, {}", cpu_name(), active_kernels().name);
  for (std::size_t i = 0; i < kMeasurements.size(); ++i) {
    table.*kMeasurements[i].us = (bench.*kMeasurements[i].measure)();
    if (progress) {
      progress("kernels", i + 1, kMeasurements.size());
    }
  }
  return table;
}

}  // namespace ffconv::cli
