#include "ffconv/plan/compile.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <limits>
#include <map>
#include <utility>

#include "ffconv/base/error.h"
#include "ffconv/model/merge.h"
#include "ffconv/plan/lowering.h"
#include "ffconv/plan/parameters.h"
#include "ffconv/plan/search.h"

namespace ffconv::plan {
namespace {

// Bits tried for values, beyond the fewest that can reach the precision, and for weights beyond
// those: chains of which a program is likely to get one. Layouts depend on the words of each level
// only; the bits themselves are chosen afterwards (parameters.h).
constexpr std::array<double, 6> kValueBits = {1, 2.5, 4, 6, 8, 11};
constexpr std::array<double, 6> kWeightBits = {-12, -9, -6, -3, 0, 4};
constexpr double kLeastWeightBits = 10;

// What rescaling three polynomials must save, as a part of the whole time, to be worth the bits
// that it loses.
constexpr double kWorthPrecision = 0.05;

// Prices of a key, in microseconds, that are tried where their number is limited, each so many
// times the one before; and how often the interval that holds the least one is halved.
constexpr double kLeastKeyPrice = 4, kMostKeyPrice = 1e7, kKeyPriceStep = 8;
constexpr int kKeyPriceHalvings = 3;

// Layers are not tried as one that would have this many times the multiplications of both: a
// convolution, or a dense layer, which has fewer rotations for the same number.
constexpr double kMostMergedWork = 2.5, kMostMergedDenseWork = 16;

// A program that can be had, before it is lowered in full.
struct Attempt {
  RingShape ring;
  Relinearize mode;
  double us = 0;                // predicted, upload included
  std::vector<Layout> layouts;  // empty for lola
};

// The layouts of a packing that has the same ones in every chain of a ring: some to choose from,
// none where the ring cannot hold them.
std::vector<std::vector<Layout>> fixed_layouts(Packing packing, const Lowering& lowering) {
  std::vector<std::vector<Layout>> choice;
  switch (packing) {
    case Packing::kConv:
      if (auto layouts = conv_layouts(lowering); !layouts.empty()) {
        choice.push_back(std::move(layouts));
      }
      return choice;
    case Packing::kFalcon:
      return {falcon_layouts(lowering)};
    case Packing::kBatch:
      return {batch_layouts(lowering)};
    default:
      break;
  }
  const auto layouts_of = packing == Packing::kFfconv ? ffconv_layouts : dense_layouts;
  choice.push_back(layouts_of(lowering, Strided::kKeepsPlaces));
  if (auto closed = layouts_of(lowering, Strided::kCloses); closed != choice.front()) {
    choice.push_back(std::move(closed));
  }
  return choice;
}

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
        scores_(bounds_.layers.back()) {}

  Compiled run() {
    find_best();
    if (options_.max_keys && keys(*best_) > *options_.max_keys) {
      limit_keys(*options_.max_keys);
    }
    return std::move(*best_);
  }

  // Of what run() has returned: evaluation, upload and keys, in microseconds.
  double price_us() const { return best_us_; }

 private:
  static std::size_t keys(const Compiled& compiled) {
    return key_request(compiled.program).count();
  }

  void limit_keys(std::size_t most) {
    std::optional<Compiled> kept;
    std::size_t fewest = keys(*best_);
    double low = 1, high = kLeastKeyPrice;
    const auto few_at = [&](double price) {
      key_us_ = price;
      find_best();
      fewest = std::min(fewest, keys(*best_));
      if (keys(*best_) > most) {
        return false;
      }
      kept = std::move(*best_);
      return true;
    };
    while (!few_at(high)) {
      low = high;
      high *= kKeyPriceStep;
      if (high > kMostKeyPrice) {
        fail(
            ErrorCode::kUnsupported,
            "network {}: packing {} needs {} evaluation keys at least, as far as was tried, but at "
            "most {} are allowed; allow more",
            network_.name, to_string(options_.packing), fewest, most);
      }
    }
    for (int k = 0; k < kKeyPriceHalvings; ++k) {
      const double middle = std::sqrt(low * high);
      (few_at(middle) ? high : low) = middle;
    }
    best_ = std::move(kept);
  }

  void find_best() {
    best_.reset();
    alternatives_.clear();
    if (options_.packing == Packing::kAuto) {
      consider(Packing::kAuto);
      consider(Packing::kDense);
      if (network_.shortcuts.empty() &&
          !(best_ && least_lola_us(lowering(any_ring(kMinLogN), {})) >= best_us_)) {
        consider(Packing::kLola);
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
           to_string(options_.packing), std::max(0.0, precision(smallest_std_)));
    }
    best_->report.alternatives = std::move(alternatives_);
  }

  // Offers the fastest program of the packing in the smallest ring that holds it. Where a tensor
  // takes several ciphertexts there, auto looks at the next ring too: fewer may pay.
  void consider(Packing packing) {
    const int first = options_.log_n.value_or(kMinLogN), last = options_.log_n.value_or(kMaxLogN);
    const auto levels = static_cast<int>(network_.layers.size());
    bool found = false;
    for (int log_n = first; log_n <= last; ++log_n) {
      // Two levels a layer at most (lola), in the longest chain that add_attempts() shows.
      if (2 * levels >= kMaxPrimes ||
          least_chain_bits(log_n, levels, largest_std() / scores_.max_abs) > max_log_qp(log_n)) {
        continue;
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
    const auto price = [](const Attempt& attempt) {
      return attempt.us * (attempt.mode == Relinearize::kAfterRescale ? 1 + kWorthPrecision : 1);
    };
    std::ranges::stable_sort(attempts, {}, price);
    std::optional<std::vector<Layout>> layouts;
    double found_us = 0;
    std::vector<std::pair<Relinearize, std::vector<Layout>>> offered;
    for (Attempt& attempt : attempts) {
      if (layouts && price(attempt) >= found_us) {
        break;
      }
      const std::pair program(attempt.mode, attempt.layouts);
      if (std::ranges::find(offered, program) != offered.end()) {
        continue;  // its parameters are chosen anew anyway
      }
      offered.push_back(program);
      if (const auto us = offer(packing, lower(attempt)); us && !(layouts && *us >= found_us)) {
        found_us = *us;
        layouts = std::move(attempt.layouts);
      }
    }
    return layouts;
  }

  // One prime a level and keys at all of them, too many for the security row.
  static RingShape any_ring(int log_n) {
    return RingShape(one_prime_a_level(log_n, std::vector<double>(kMaxPrimes - 1, 26.0), {46.0}, 1,
                                       kMaxPrimes - 2));
  }
  Lowering lowering(const RingShape& ring, Relinearize mode) const {
    return {network_, bounds_, options_.cost, ring, mode, key_us_};
  }
  Program lower(const Attempt& attempt) const {
    const Lowering lowering = this->lowering(attempt.ring, attempt.mode);
    return attempt.layouts.empty() ? lower_lola(lowering) : lower_chain(lowering, attempt.layouts);
  }

  // One for every shape of a chain that the program may get; none twice.
  void add_attempts(Packing packing, int log_n, Relinearize mode, std::vector<Attempt>& attempts) {
    // All but auto lower alike in every chain, but want to know some.
    const RingShape any = any_ring(log_n);
    std::optional<Program> lola;
    std::vector<std::pair<std::vector<Layout>, ChainPrice>> fixed;
    if (packing == Packing::kLola) {
      lola = lower_lola(lowering(any, mode));
    } else if (packing != Packing::kAuto) {
      for (auto& layouts : fixed_layouts(packing, lowering(any, mode))) {
        const ChainPrice price(network_, layouts);
        fixed.emplace_back(std::move(layouts), price);
      }
    }
    std::vector<RingShape> tried;
    for (const ParamsSpec& spec : likely_chains(log_n, lola ? chain_shape(*lola) : chain(log_n))) {
      RingShape ring(spec);
      if (std::ranges::find(tried, ring) != tried.end()) {
        continue;
      }
      const Lowering lowering = this->lowering(ring, mode);
      const auto add = [&](double us, std::vector<Layout> layouts) {
        if (std::isfinite(us)) {
          attempts.push_back({ring, mode, us, std::move(layouts)});
        }
      };
      if (lola) {
        lola->params = spec;
        add(count(*lola, options_.cost).total.predicted_us, {});
      } else if (packing == Packing::kAuto) {
        if (auto path = search(log_n).best(lowering, input_us(log_n))) {
          const double shortcuts_us = ShortcutPrice(network_, path->layouts).us(lowering);
          add(path->us + shortcuts_us, std::move(path->layouts));
        }
      }
      for (const auto& [layouts, price] : fixed) {
        add(price.us(lowering), layouts);
      }
      tried.push_back(std::move(ring));
    }
  }

  std::vector<ParamsSpec> likely_chains(int log_n, const ChainShape& shape) const {
    const double least = least_value_bits(log_n, largest_std() / scores_.max_abs);
    std::vector<ParamsSpec> chains;
    for (const double value : kValueBits) {
      for (const double weight : kWeightBits) {
        const ChainBits bits{least + value, std::max(least + value + weight, kLeastWeightBits)};
        if (auto spec = make_chain(shape, log_n, bits, Keys::kWherePossible, max_log_qp(log_n),
                                   options_.cost)) {
          chains.push_back(std::move(*spec));
        }
      }
    }
    return chains;
  }

  // The chain of lower_chain(): one level a layer, the last layer's at level 1. Maps are taken as
  // those of full slots, with as many rotations as balanced baby and giant steps need.
  ChainShape chain(int log_n) const {
    ChainShape shape{{false}, {}, {{}}};
    for (auto layer = network_.layers.rbegin(); layer != network_.layers.rend(); ++layer) {
      LinearShape map;
      if (const auto* linear = std::get_if<model::Linear>(&*layer)) {
        const double products =
            std::ldexp(static_cast<double>(linear->out.size() * tap_count(*linear)), -log_n);
        map.decomposed_inputs = map.extended_outputs = 1;
        map.extended_terms = static_cast<int>(std::ceil(products));
        map.babies = map.giants = static_cast<int>(std::sqrt(products));
      }
      shape.square.push_back(std::holds_alternative<model::Square>(*layer));
      shape.maps.push_back(map);
    }
    return shape;
  }

  LayoutSearch& search(int log_n) {
    return searches_.try_emplace(log_n, network_, std::size_t{1} << log_n, options_.progress)
        .first->second;
  }

  // Keeps the program if it is precise enough and the best so far. Its price in microseconds, or
  // nothing where no chain is precise enough.
  std::optional<double> offer(Packing packing, Program program) {
    const double keys_us = key_us_ * static_cast<double>(used_keys(program).rotations.size());
    const ParameterGoal goal{largest_std(), [&](const Program& candidate) {
                               return count(candidate, options_.cost).total.predicted_us +
                                      upload_us(candidate) + keys_us;
                             }};
    if (!assign_parameters(program, goal, options_.cost)) {
      smallest_std_ = std::min(smallest_std_, program.output_noise_std);
      return std::nullopt;
    }
    const double precision_bits = precision(program.output_noise_std);
    ProgramCounts counts = count(program, options_.cost);
    const Alternative alternative{packing,
                                  program.params.log_n,
                                  static_cast<int>(program.params.levels.back().primes.size()),
                                  counts.total.predicted_us,
                                  upload_us(program),
                                  precision_bits};
    alternatives_.push_back(alternative);
    const double us = alternative.predicted_us + alternative.upload_us + keys_us;
    if (!best_ || us < best_us_) {
      best_us_ = us;
      best_ = Compiled{std::move(program), {packing, std::move(counts), precision_bits, {}}};
    }
    return us;
  }

  double largest_std() const { return scores_.rms * std::exp2(-options_.precision_bits); }
  double precision(double std) const { return std::log2(scores_.rms / std); }

  // Fresh ciphertexts are sent as one polynomial and a seed.
  double upload_us(const Program& program) const {
    double bits = 0;
    for (std::int32_t i = 0; i < program.input_count; ++i) {
      const auto level =
          static_cast<std::size_t>(program.values[static_cast<std::size_t>(i)].level);
      for (const std::uint16_t k : program.params.levels[level].primes) {
        bits += program.params.q_bits[k];
      }
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
    return std::ldexp(bits, log_n) / options_.upload_mbit_per_s;
  }

  const model::Network& network_;
  const CompileOptions& options_;
  const Bounds bounds_;
  const model::Range scores_;
  std::map<int, LayoutSearch> searches_;  // by log_n
  double key_us_ = 0;                     // price of a key
  std::optional<Compiled> best_;
  double best_us_ = 0;
  double smallest_std_ = std::numeric_limits<double>::infinity();
  std::vector<Alternative> alternatives_;
};

// These packings are pipelines of layers one after the other.
void check_shortcuts(const model::Network& network, Packing packing) {
  const bool chains_only =
      packing == Packing::kConv || packing == Packing::kFalcon || packing == Packing::kLola;
  if (chains_only && !network.shortcuts.empty()) {
    fail(ErrorCode::kUnsupported,
         "network {}: packing {} takes chains of layers, not residual connections (sums in {} "
         "places); use auto, dense, ffconv or batch",
         network.name, to_string(packing), network.shortcuts.size());
  }
}

// The network with its linear layers number k and k + 1 merged; nullopt where they cannot be.
std::optional<Expanded> merged_at(const Expanded& from, std::size_t k) {
  const auto* first = std::get_if<model::Linear>(&from.network.layers[k]);
  const auto* second = std::get_if<model::Linear>(&from.network.layers[k + 1]);
  const bool shared = std::ranges::any_of(
      from.network.shortcuts, [&](const auto& s) { return s.from == k + 1 || s.to == k; });
  if (first == nullptr || second == nullptr || shared) {
    return std::nullopt;
  }
  std::optional<model::Linear> layer = merge(*first, *second);
  const auto work = [](const model::Linear& linear) {
    return static_cast<double>(linear.out.size() * tap_count(linear));
  };
  if (!layer) {
    return std::nullopt;
  }
  const double most = layer->convolution() != nullptr ? kMostMergedWork : kMostMergedDenseWork;
  if (work(*layer) > most * (work(*first) + work(*second))) {
    return std::nullopt;
  }
  Expanded result = from;
  const auto at = static_cast<std::ptrdiff_t>(k);
  result.network.layers.erase(result.network.layers.begin() + at);
  result.network.layers[k] = *std::move(layer);
  result.ranges.layers.erase(result.ranges.layers.begin() + at);
  for (model::Shortcut& shortcut : result.network.shortcuts) {
    shortcut.from -= shortcut.from > k ? 1 : 0;
    shortcut.to -= shortcut.to > k ? 1 : 0;
  }
  return result;
}

// Auto: neighbouring linear layers merged where the program is cheaper for it, or the only one.
Compiled compile_merging(const model::Network& network, const model::Ranges& ranges,
                         const CompileOptions& options) {
  std::optional<Compiled> best;
  double best_us = std::numeric_limits<double>::infinity();
  std::exception_ptr obstacle;
  const auto improves = [&](const Expanded& candidate) {
    try {
      Compiler compiler(candidate.network, candidate.ranges, options);
      Compiled compiled = compiler.run();
      if (compiler.price_us() < best_us) {
        best_us = compiler.price_us();
        best = std::move(compiled);
        return true;
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kUnsupported) {
        throw;
      }
      obstacle = obstacle ? obstacle : std::current_exception();
    }
    return false;
  };
  Expanded chosen{network, ranges};
  improves(chosen);
  for (std::size_t k = 0; k + 1 < chosen.network.layers.size();) {
    std::optional<Expanded> merged = merged_at(chosen, k);
    if (merged && improves(*merged)) {
      chosen = *std::move(merged);
    } else {
      ++k;
    }
  }
  if (!best) {
    std::rethrow_exception(obstacle);
  }
  return *std::move(best);
}

void check_batch(const model::Network& network) {
  std::size_t products = 0;
  const auto add = [&](const model::Linear& linear) {
    products += linear.out.size() * tap_count(linear);
  };
  for (const model::Linear* linear : linear_layers(network)) {
    add(*linear);
  }
  std::ranges::for_each(network.shortcuts, add, &model::Shortcut::map);
  if (products > kMostBatchProducts) {
    fail(ErrorCode::kUnsupported,
         "network {}: packing batch lists every multiplication, {} here, and takes {} at most; use "
         "another packing",
         network.name, products, kMostBatchProducts);
  }
}

}  // namespace

Compiled compile(const model::Network& network, const model::Ranges& ranges,
                 const CompileOptions& options) {
  check_shortcuts(network, options.packing);
  if (options.packing == Packing::kBatch) {
    check_batch(network);
  }
  if (options.packing == Packing::kConv || options.packing == Packing::kFalcon) {
    const Bounds checked(network, ranges, options.margin);  // errors name the layers as given
    const Expanded expanded = options.packing == Packing::kConv
                                  ? with_patches(network, ranges, options.margin)
                                  : with_spectra(network, ranges);
    return Compiler(expanded.network, expanded.ranges, options).run();
  }
  return options.packing == Packing::kAuto ? compile_merging(network, ranges, options)
                                           : Compiler(network, ranges, options).run();
}

}  // namespace ffconv::plan
