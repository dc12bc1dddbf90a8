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

// What rescaling three polynomials must save, as a part of the whole time, to be worth the bits
// that it loses.
constexpr double kWorthPrecision = 0.05;

// A program that can be had, before it is lowered in full.
struct Attempt {
  RingShape ring;
  Relinearize mode;
  ChainShape chain;
  double us = 0;                // predicted, upload included
  std::vector<Layout> layouts;  // empty for lola
};

// Whether a tensor takes several ciphertexts; the input's may be many by choice.
bool crowded(const std::vector<Layout>& layouts) {
  return std::any_of(layouts.begin() + 1, layouts.end(),
                     [](const Layout& layout) { return layout.ciphertexts.size() > 1; });
}

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
      const std::string rings = options_.log_n
                                    ? fmt::format("N = 2^{} does not hold", *options_.log_n)
                                    : "no ring up to N = 2^17 holds";
      fail(ErrorCode::kUnsupported,
           "network {}: {} {} layers at {} bits of precision with packing {} (best found: {:.1f} "
           "bits); use fewer layers, less precision or tighter value ranges",
           network_.name, rings, network_.layers.size(), options_.precision_bits,
           to_string(options_.packing), most_precise_);
    }
    best_->report.alternatives = std::move(alternatives_);
    return std::move(*best_);
  }

 private:
  // Offers the fastest program of the packing in the smallest ring that holds it. Where a tensor
  // takes several ciphertexts there, auto looks at the next ring too: fewer may pay.
  void consider(Packing packing) {
    const int first = options_.log_n.value_or(kMinLogN), last = options_.log_n.value_or(kMaxLogN);
    const auto levels = static_cast<int>(network_.layers.size());
    bool found = false;
    for (int log_n = first; log_n <= last; ++log_n) {
      if (levels >= kMaxPrimes || least_chain_bits(log_n, levels, options_.precision_bits,
                                                   options_.margin) > max_log_qp(log_n)) {
        continue;
      }
      if (packing == Packing::kLola && best_ &&
          least_lola_us(lowering({log_n, 1, 1}, {})) > best_us_) {
        return;
      }
      const auto layouts = consider(packing, log_n);
      if (found || (layouts && !(packing == Packing::kAuto && crowded(*layouts)))) {
        return;
      }
      found = layouts.has_value();
    }
  }

  // The layouts of the program that was offered (none for lola); nullopt where the ring holds no
  // program.
  std::optional<std::vector<Layout>> consider(Packing packing, int log_n) {
    std::vector<Attempt> attempts;
    for (const auto mode : {Relinearize::kWithRescale, Relinearize::kAfterRescale}) {
      add_attempts(packing, log_n, mode, attempts);
    }
    std::ranges::stable_sort(attempts, {}, [](const Attempt& attempt) {
      const bool coarse = attempt.mode == Relinearize::kAfterRescale;
      return attempt.us * (coarse ? 1 + kWorthPrecision : 1);
    });
    for (Attempt& attempt : attempts) {
      if (chain_fits(attempt.chain, attempt.ring, options_.margin, options_.precision_bits) &&
          offer(packing, lower(attempt), attempt.ring)) {
        return std::move(attempt.layouts);
      }
    }
    return std::nullopt;
  }

  Lowering lowering(const RingShape& ring, Relinearize mode) const {
    return {network_, bounds_, options_.cost, ring, mode};
  }
  Program lower(const Attempt& attempt) const {
    const Lowering lowering = this->lowering(attempt.ring, attempt.mode);
    return attempt.layouts.empty() ? lower_lola(lowering) : lower_chain(lowering, attempt.layouts);
  }

  // One or two for each digit size and number of special primes.
  void add_attempts(Packing packing, int log_n, Relinearize mode, std::vector<Attempt>& attempts) {
    const Lowering any = lowering({log_n, 1, 1}, mode);
    std::optional<Program> lola;
    std::vector<Layout> dense;
    std::optional<ChainPrice> dense_price;
    if (packing == Packing::kLola) {
      lola = lower_lola(any);
    } else if (packing == Packing::kDense) {
      dense = dense_layouts(any);
      dense_price.emplace(network_, dense);
    }
    for (int digit = 1; digit <= kMaxDigitPrimes; ++digit) {
      for (int special = 1; special <= digit; ++special) {
        const Lowering lowering = this->lowering({log_n, special, digit}, mode);
        if (lola) {
          attempts.push_back(
              {lowering.ring, mode, chain_shape(*lola), lola_us(*lola, lowering.ring), {}});
        } else if (dense_price) {
          attempts.push_back({lowering.ring, mode, chain(dense_price->max_key_level(lowering)),
                              dense_price->us(lowering), dense});
        } else {
          add_auto(lowering, attempts);
        }
      }
    }
  }

  // LoLa's program is the same in any ring of its degree.
  double lola_us(Program& program, const RingShape& ring) const {
    program.params.digit_primes = ring.digit_primes;
    program.params.p_bits.resize(static_cast<std::size_t>(ring.special_primes));
    return count(program, options_.cost).total.predicted_us;
  }

  void add_auto(const Lowering& lowering, std::vector<Attempt>& attempts) {
    const RingShape& ring = lowering.ring;
    // Keys at the highest level cost bits that the chain may need: also without.
    for (const bool keyless_first : {false, true}) {
      if (auto path = search(ring.log_n).best(lowering, {input_us(ring.log_n), keyless_first})) {
        attempts.push_back({ring, lowering.relinearize, chain(path->max_key_level), path->us,
                            std::move(path->layouts)});
      }
    }
  }

  // The chain of lower_chain(): one level a layer, the last layer's at level 1.
  ChainShape chain(int max_key_level) const {
    ChainShape shape{{false}, max_key_level};
    for (auto layer = network_.layers.rbegin(); layer != network_.layers.rend(); ++layer) {
      shape.square.push_back(std::holds_alternative<model::Square>(*layer));
    }
    return shape;
  }

  LayoutSearch& search(int log_n) {
    return searches_.try_emplace(log_n, network_, std::size_t{1} << log_n).first->second;
  }

  // Keeps the program if it is precise enough and the best so far. False if it is not precise
  // enough.
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
  // About what one input ciphertext costs to send, before its chain is known.
  double input_us(int log_n) const {
    const double bits = std::min(max_log_qp(log_n),
                                 kMaxPrimeBits * static_cast<double>(network_.layers.size() + 1));
    return transfer_us(bits, log_n);
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
