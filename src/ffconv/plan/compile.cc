#include "ffconv/plan/compile.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "ffconv/base/error.h"
#include "ffconv/plan/lowering.h"
#include "ffconv/plan/parameters.h"
#include "ffconv/plan/search.h"

namespace ffconv::plan {
namespace {

// Digits of more primes than this have not paid at any level count that a network uses.
constexpr int kMaxDigitPrimes = 4;

class Compiler {
 public:
  Compiler(const model::Network& network, const model::Ranges& ranges,
           const CompileOptions& options)
      : network_(network),
        options_(options),
        bounds_(network, ranges, options.margin),
        range_(bounds_.layers.back() / options.margin) {}

  Compiled run() {
    if (options_.packing == Packing::kAuto) {
      for (const Packing packing : {Packing::kAuto, Packing::kDense, Packing::kLola}) {
        consider(packing);
      }
    } else {
      consider(options_.packing);
    }
    if (!best_) {
      fail(ErrorCode::kUnsupported,
           "network {}: no ring {} holds {} layers at {} bits of precision with packing {} (best "
           "found: {:.1f} bits); use fewer layers, less precision or tighter ranges",
           network_.name,
           options_.log_n ? fmt::format("of N = 2^{}", *options_.log_n)
                          : std::string("up to N = 2^17"),
           network_.layers.size(), options_.precision_bits, to_string(options_.packing),
           most_precise_);
    }
    best_->report.alternatives = std::move(alternatives_);
    return std::move(*best_);
  }

 private:
  // Adds the fastest program of the packing at the smallest ring that holds it; auto looks one ring
  // further, where fewer ciphertexts may pay.
  void consider(Packing packing) {
    const int first = options_.log_n.value_or(kMinLogN), last = options_.log_n.value_or(kMaxLogN);
    int tries = packing == Packing::kAuto ? 2 : 1;
    for (int log_n = first; log_n <= last && tries > 0; ++log_n) {
      const auto levels = static_cast<int>(network_.layers.size());
      if (least_chain_bits(log_n, levels, options_.precision_bits, options_.margin) <=
          max_log_qp(log_n)) {
        tries -= consider(packing, log_n) ? 1 : 0;
      }
    }
  }

  bool consider(Packing packing, int log_n) {
    bool found = false;
    for (const auto mode : {Relinearize::kAfterRescale, Relinearize::kBeforeRescale}) {
      for (int digit = 1; digit <= kMaxDigitPrimes; ++digit) {
        for (int special = 1; special <= digit; ++special) {
          const Lowering lowering{network_, bounds_, options_.cost, {log_n, special, digit}, mode};
          for (Program& program : lower(packing, lowering)) {
            found = offer(packing, std::move(program), lowering.ring) || found;
          }
        }
      }
      if (found) {
        break;  // relinearizing late is cheaper wherever it is precise enough
      }
    }
    return found;
  }

  // The programs to try for a packing: more than one where predicted time alone does not decide.
  std::vector<Program> lower(Packing packing, const Lowering& lowering) {
    switch (packing) {
      case Packing::kDense:
        return {lower_chain(lowering, dense_layouts(lowering))};
      case Packing::kLola:
        return {lower_lola(lowering)};
      case Packing::kAuto:
        break;
    }
    // Keys at the highest level cost bits that the chain may need: also try without.
    const LayoutSearch& search = this->search(lowering.ring.log_n);
    const auto free = search.best(lowering, {input_us(lowering.ring.log_n), false});
    const auto keyless = search.best(lowering, {input_us(lowering.ring.log_n), true});
    std::vector<Program> programs{lower_chain(lowering, *free)};
    if (keyless && *keyless != *free) {
      programs.push_back(lower_chain(lowering, *keyless));
    }
    return programs;
  }

  const LayoutSearch& search(int log_n) {
    return searches_.try_emplace(log_n, network_, std::size_t{1} << log_n).first->second;
  }

  // About what one input ciphertext costs to send: its chain is not known yet.
  double input_us(int log_n) const {
    const double bits = std::min(max_log_qp(log_n),
                                 kMaxPrimeBits * static_cast<double>(network_.layers.size() + 1));
    return transfer_us(bits, log_n);
  }

  // Keeps the program if it is precise enough and the best so far.
  bool offer(Packing packing, Program program, const RingShape& ring) {
    if (!assign_parameters(program, ring, options_.margin)) {
      return false;
    }
    const double precision = std::log2(range_ / program.output_noise_std);
    most_precise_ = std::max(most_precise_, precision);
    if (precision < options_.precision_bits) {
      return false;
    }
    ProgramCounts counts = count(program, options_.cost);
    const Alternative alternative{
        packing,  ring.log_n, ring.digit_primes, counts.total.predicted_us, upload_us(program),
        precision};
    alternatives_.push_back(alternative);
    const double us = alternative.predicted_us + alternative.upload_us;
    if (!best_ || us < best_us_) {
      best_us_ = us;
      best_ = Compiled{std::move(program), {packing, std::move(counts), precision, {}}};
    }
    return true;
  }

  // Fresh ciphertexts are sent as one polynomial and a seed.
  double upload_us(const Program& program) const {
    double bits = 0;
    for (std::int32_t i = 0; i < program.input_count; ++i) {
      const auto first = program.params.q_bits.begin();
      bits += std::accumulate(first, first + program.values[static_cast<std::size_t>(i)].level + 1,
                              0.0);
    }
    return transfer_us(bits, program.params.log_n);
  }
  double transfer_us(double bits, int log_n) const {
    return std::ldexp(bits, log_n) / 8 / options_.upload_mb_per_s;
  }

  const model::Network& network_;
  const CompileOptions& options_;
  const Bounds bounds_;
  const double range_;
  std::map<int, LayoutSearch> searches_;  // by log_n
  std::optional<Compiled> best_;
  double best_us_ = 0;
  double most_precise_ = 0;
  std::vector<Alternative> alternatives_;
};

}  // namespace

Compiled compile(const model::Network& network, const model::Ranges& ranges,
                 const CompileOptions& options) {
  return Compiler(network, ranges, options).run();
}

}  // namespace ffconv::plan
