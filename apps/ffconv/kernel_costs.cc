#include "kernel_costs.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "evaluation.h"
#include "ffconv/base/aligned_buffer.h"
#include "ffconv/base/random.h"
#include "ffconv/ckks/key_switching.h"
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
// Operands of a network's steps come from the last cache or from memory: kernels go through more
// limbs than that cache holds on most machines.
constexpr std::size_t kLimbs = 256;
constexpr std::size_t kSources = 2;                     // of a base extension
constexpr std::size_t kDigits = 4;                      // of a key
constexpr std::size_t kRows = 4, kTerms = 2 * kDigits;  // of products with weights
// One limb of so many keys, or of rows of weights, is more than the last cache of most machines
// holds.
constexpr std::size_t kKeys = 96;
constexpr std::size_t kKeyStride = 2 * kDigits * kRunBytes;
constexpr std::size_t kKeyBytes = kN / kPackedRun * kKeyStride;

// The median of the calls that fit into a budget of time.
double median_us(const std::function<void()>& call) {
  constexpr double kBudgetUs = 60'000;
  std::vector<double> times;
  for (double spent = 0; spent < kBudgetUs; spent += times.back()) {
    Stopwatch watch;
    call();
    times.push_back(watch.lap_us());
  }
  return median(std::move(times));
}

using Limb = AlignedBuffer<Word>;

class Bench {
 public:
  Bench() : ring_(kLogN, std::array{find_prime(kLogN, kPrimeBits, {})}), kernels_(ring_.kernels()) {
    limbs_.front() = random_limb();
    for (Limb& limb : limbs_) {
      limb = limbs_.front();
    }
    for (std::size_t k = 0; k < kKeys * 2 * kDigits; ++k) {
      kernels_.pack48(key(k / (2 * kDigits)) + k % (2 * kDigits) * kRunBytes, kKeyStride,
                      limbs_[0].data(), kN, tables());
    }
  }

  double ntt_forward() {
    return median_us([&] { kernels_.ntt_forward(next(), tables()); });
  }
  double ntt_inverse() {
    return median_us([&] { kernels_.ntt_inverse(next(), tables()); });
  }
  double add() {
    return median_us([&] {
      Word* const sum = next();
      kernels_.add(sum, next(), next(), kN, tables());
    });
  }
  double multiply() {
    return median_us([&] {
      Word* const product = next();
      kernels_.mul(product, next(), next(), kN, tables());
    });
  }
  // Of what was just computed.
  double automorphism() {
    const WordPermutation permutation = ring_.rotation(1);
    return median_us(
        [&] { kernels_.permute(next(), limbs_[0].data(), permutation.source.data(), kN); });
  }
  // One source limb to one target limb. Sources stay in cache: they serve all targets in turn.
  double base_extend() {
    const Constant one = ring_.constant(1, 0);
    std::array<const Word*, kSources> digits;
    for (std::size_t j = 0; j < kSources; ++j) {
      kernels_.make_digit(limbs_[j].data(), limbs_[j].data(), one, kN, tables());
      digits[j] = limbs_[j].data();
    }
    const std::array<Constant, kSources> weights{one, one};
    return median_us([&] {
             kernels_.extend(next(), digits.data(), weights.data(), kSources, nullptr, one, kN,
                             tables());
           }) /
           kSources;
  }
  // One digit, one output: a key's from memory, the digits stay in cache.
  double multiply_accumulate() {
    std::size_t number = 0;
    std::array<const Word*, kDigits> digits;
    for (std::size_t t = 0; t < kDigits; ++t) {
      digits[t] = limbs_[2 + t % 2].data();
    }
    return median_us([&] {
             kernels_.packed_pair_products(limbs_[0].data(), limbs_[1].data(), key(number),
                                           kKeyStride, digits.data(), kDigits, false, kN, tables());
             number = (number + 1) % kKeys;
           }) /
           (2 * kDigits);
  }
  // One term, one output: weights from memory, the block of inputs stays in cache.
  double plain_product() {
    constexpr std::size_t kApart = kBlockWords + AlignedBuffer<Word>::kAlignment / sizeof(Word);
    AlignedBuffer<Word> inputs(2 * kTerms * kApart);
    std::array<const Word*, kTerms> c0, c1;
    for (std::size_t t = 0; t < kTerms; ++t) {
      Word* const at = inputs.data() + 2 * t * kApart;
      std::copy_n(limbs_[0].data(), kBlockWords, at);
      std::copy_n(limbs_[0].data(), kBlockWords, at + kApart);
      c0[t] = at;
      c1[t] = at + kApart;
    }
    std::size_t number = 0;
    return median_us([&] {
             for (std::size_t begin = 0; begin < kN; begin += kBlockWords) {
               std::array<Word*, kRows> sums0, sums1;
               std::array<const std::uint8_t*, kRows * kTerms> weights;
               for (std::size_t r = 0; r < kRows; ++r) {
                 sums0[r] = limbs_[2 * r].data() + begin;
                 sums1[r] = limbs_[2 * r + 1].data() + begin;
                 for (std::size_t t = 0; t < kTerms; ++t) {
                   weights[r * kTerms + t] =
                       key(number + r) + begin / kPackedRun * kKeyStride + t * kRunBytes;
                 }
               }
               kernels_.packed_products(sums0.data(), sums1.data(), kRows, c0.data(), c1.data(),
                                        kTerms, weights.data(), kKeyStride, kBlockWords, tables());
             }
             number = (number + kRows) % kKeys;
           }) /
           (2 * kRows * kTerms);
  }

 private:
  const LimbTables& tables() const { return ring_.tables(0); }
  Word* next() {
    next_ = (next_ + 1) % kLimbs;
    return limbs_[next_].data();
  }
  std::uint8_t* key(std::size_t number) { return keys_.data() + number * kKeyBytes; }
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
  std::vector<Limb> limbs_{kLimbs};
  std::size_t next_ = 0;
  AlignedBuffer<std::uint8_t> keys_{kKeys * kKeyBytes};
};

}  // namespace

CostTable measure_kernels(const Progress& progress) {
  struct Measurement {
    double CostTable::*us;
    double (Bench::*measure)();
  };
  constexpr std::array<Measurement, 8> kMeasurements{{
      {&CostTable::ntt_forward_us, &Bench::ntt_forward},
      {&CostTable::ntt_inverse_us, &Bench::ntt_inverse},
      {&CostTable::multiply_accumulate_us, &Bench::multiply_accumulate},
      {&CostTable::plain_product_us, &Bench::plain_product},
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
