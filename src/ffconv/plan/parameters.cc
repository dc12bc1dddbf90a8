#include "ffconv/plan/parameters.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <utility>

#include "ffconv/base/error.h"
#include "ffconv/ckks/level_packing.h"
#include "ffconv/plan/counts.h"
#include "ffconv/plan/errors.h"
#include "ffconv/plan/precision.h"

namespace ffconv::plan {
namespace {

constexpr double kMaxValueBits = 40;   // b; doubles encode and decode this precisely
constexpr double kMaxWeightBits = 40;  // w
constexpr double kLeastWeightBits = 8;
constexpr double kLastModulusBits = 3;  // of the last modulus beyond b: sign, two to spare
constexpr double kBitStep = 0.5;
constexpr std::array<double, 3> kWordBits = {kMaxPrimeBits, 38, 31};
constexpr int kMaxSpecialPrimes = 6;

std::size_t index(std::int32_t number) {
  return static_cast<std::size_t>(number);
}

double bits_of(const std::vector<std::uint16_t>& numbers, const std::vector<double>& sizes) {
  double bits = 0;
  for (const std::uint16_t k : numbers) {
    bits += sizes[k];
  }
  return bits;
}

// Keys that make `map` and one rotation at `level` cheapest; false where there is no room for any.
bool add_cheapest_keys(ParamsSpec& spec, int level, const LinearShape& map, double limit,
                       const CostTable& table) {
  const LevelSpec& bare = spec.levels[index(level)];
  const double room = limit - bits_of(bare.primes, spec.q_bits);
  const int words = static_cast<int>(bare.primes.size());
  std::optional<KeyShape> best;
  double best_us = std::numeric_limits<double>::infinity();
  for (int special = 1; special <= std::min(words, kMaxSpecialPrimes); ++special) {
    for (int digit = 1; digit <= special; ++digit) {
      const auto keys = fit_keys(spec, level, special, digit, room);
      const CostShape shape{spec.log_n, words, special, digit};
      const double us = rotate_us(table, shape) + linear_us(table, shape, map);
      if (keys && us < best_us) {
        best_us = us;
        best = keys;
      }
    }
  }
  if (best) {
    add_keys(spec, level, *best);
  }
  return best.has_value();
}

std::vector<double> nominal_factors(const ChainShape& shape, const ChainBits& bits) {
  std::vector<double> factors;
  for (const bool square : shape.square) {
    factors.push_back(std::exp2(square ? bits.value_bits : bits.weight_bits));
  }
  return factors;
}

std::vector<double> real_factors(const Params& params) {
  std::vector<double> factors = {1.0};
  for (int level = 1; level <= params.max_level(); ++level) {
    factors.push_back(params.rescale_factor(level));
  }
  return factors;
}

// Two chains of equal shape cost the same.
std::vector<std::array<std::size_t, 3>> words(const ParamsSpec& spec) {
  std::vector<std::array<std::size_t, 3>> result;
  for (const LevelSpec& level : spec.levels) {
    result.push_back(
        {level.primes.size(), level.special.size(), static_cast<std::size_t>(level.digit_primes)});
  }
  return result;
}

class Assignment {
 public:
  Assignment(Program& program, const ParameterGoal& goal, const CostTable& table)
      : program_(program),
        log_n_(program.params.log_n),
        goal_(goal),
        table_(table),
        shape_(chain_shape(program)),
        errors_(program) {}

  bool run() {
    // Primes lie near the bits asked for, not on them: where the real ones are beyond the row or a
    // little less precise, a little less or more is asked for.
    constexpr int kTries = 6;
    for (int attempt = 0; attempt < kTries; ++attempt) {
      const double slack = attempt * kBitStep;
      const std::optional<ChainBits> bits = cheapest(max_log_qp(log_n_) - slack, slack / 8);
      if (!bits) {
        break;
      }
      if (realize(*bits, max_log_qp(log_n_) - slack)) {
        return true;
      }
    }
    program_.output_noise_std = smallest_std_;
    return false;
  }

 private:
  // The predicted error with nominal sizes.
  double nominal_std(const ChainBits& bits, const ParamsSpec& spec) {
    program_.params = spec;
    assign_scales(program_, nominal_factors(shape_, bits), bits.value_bits);
    return errors_.output_std(program_);
  }

  // The cheapest bits that are `spare` bits more precise than asked for, and as many more bits as
  // the chain's shape takes.
  std::optional<ChainBits> cheapest(double limit, double spare) {
    for (const double word_bits : kWordBits) {  // smaller words are never cheaper
      if (word_bits >= log_n_ + 10) {
        if (const auto bits = cheapest(limit, spare, word_bits)) {
          return bits;
        }
      }
    }
    return std::nullopt;
  }

  std::optional<ChainBits> cheapest(double limit, double spare, double word_bits) {
    std::optional<ChainBits> best;
    double best_price = std::numeric_limits<double>::infinity(), best_std = best_price;
    std::map<std::vector<std::array<std::size_t, 3>>, double> prices;
    for (double b = log_n_; b <= kMaxValueBits; b += kBitStep) {
      for (double w = kLeastWeightBits; w <= kMaxWeightBits; w += kBitStep) {
        const ChainBits bits{b, w, word_bits};
        const auto spec = make_chain(shape_, log_n_, bits, Keys::kAsAsked, limit, table_);
        if (!spec) {
          break;  // more bits fit even less
        }
        const double std = nominal_std(bits, *spec);
        smallest_std_ = std::min(smallest_std_, std);
        if (std * std::exp2(spare) > goal_.largest_std) {
          continue;
        }
        const auto [known, is_new] = prices.try_emplace(words(*spec), 0.0);
        if (is_new) {
          known->second = goal_.price(program_);
        }
        if (std::pair(known->second, std) < std::pair(best_price, best_std)) {
          best_price = known->second;
          best_std = std;
          best = bits;
        }
      }
    }
    return best;
  }

  bool realize(const ChainBits& bits, double limit) {
    const auto spec = make_chain(shape_, log_n_, bits, Keys::kAsAsked, limit, table_);
    try {
      const Params params(*spec);
      program_.params = *spec;
      assign_scales(program_, real_factors(params), bits.value_bits);
    } catch (const Error& error) {
      // Beyond the security row, or too few primes of a size.
      if (error.code() != ErrorCode::kInsecure && error.code() != ErrorCode::kInvalidArgument) {
        throw;
      }
      return false;
    }
    program_.output_noise_std = errors_.output_std(program_);
    return program_.output_noise_std <= goal_.largest_std;
  }

  Program& program_;
  const int log_n_;
  const ParameterGoal& goal_;
  const CostTable& table_;
  const ChainShape shape_;
  const ErrorPropagation errors_;
  double smallest_std_ = std::numeric_limits<double>::infinity();
};

}  // namespace

ChainShape chain_shape(const Program& program) {
  ChainShape shape;
  int top = 0;
  for (const ValueInfo& value : program.values) {
    top = std::max(top, value.level);
  }
  shape.square.assign(index(top) + 1, false);
  shape.keyed.assign(index(top) + 1, false);
  shape.maps.resize(index(top) + 1);
  for (const Instruction& op : program.instructions) {
    const std::size_t level = index(program.values[index(op.in[0])].level);
    if (op.op == OpCode::kSquare || op.op == OpCode::kMultiply) {
      shape.square[level] = true;
    } else if (op.op == OpCode::kLinear) {
      shape.maps[level] += linear_shape(op);
    }
  }
  const UsedKeys used = used_keys(program);
  for (const std::int32_t level : used.relinearization) {
    shape.keyed[index(level)] = true;
  }
  for (const auto& [step, levels] : used.rotations) {
    for (const std::int32_t level : levels) {
      shape.keyed[index(level)] = true;
    }
  }
  return shape;
}

std::optional<ParamsSpec> make_chain(const ChainShape& shape, int log_n, const ChainBits& bits,
                                     Keys keys, double limit, const CostTable& table) {
  std::vector<double> level_bits = {bits.value_bits + kLastModulusBits};
  for (std::size_t level = 1; level < shape.square.size(); ++level) {
    level_bits.push_back(level_bits.back() +
                         (shape.square[level] ? bits.value_bits : bits.weight_bits));
  }
  if (level_bits.back() > limit || level_bits.front() < log_n + 4) {
    return std::nullopt;
  }
  ParamsSpec spec = pack_levels(log_n, level_bits, bits.word_bits);
  for (std::size_t level = 0; level < level_bits.size(); ++level) {
    const bool asked = keys == Keys::kWherePossible || shape.keyed[level];
    if (asked &&
        !add_cheapest_keys(spec, static_cast<int>(level), shape.maps[level], limit, table) &&
        keys == Keys::kAsAsked) {
      return std::nullopt;
    }
  }
  return spec;
}

double least_value_bits(int log_n, double error) {
  ParamsSpec ring;
  ring.log_n = log_n;
  return std::max<double>(log_n, std::log2(ErrorModel(ring).rounding() / error));
}

double least_chain_bits(int log_n, int levels, double error) {
  return least_value_bits(log_n, error) + kLastModulusBits + levels * kLeastWeightBits;
}

void assign_scales(Program& program, std::span<const double> factors, double value_bits) {
  const auto full_scale = [&](const ValueInfo& value) {
    return std::exp2(value_bits) / value.max_abs;
  };
  for (std::size_t i = 0; i < index(program.input_count); ++i) {
    program.values[i].scale = full_scale(program.values[i]);
  }
  for (Instruction& op : program.instructions) {
    const ValueInfo& x = program.values[index(op.in[0])];
    double scale = x.scale;
    switch (op.op) {
      case OpCode::kLinear:
      case OpCode::kMultiplyPlain:
        scale = full_scale(program.values[index(op.out[0])]) * factors[index(x.level)];
        op.plain_scale = scale / x.scale;
        break;
      case OpCode::kSquare:
      case OpCode::kMultiply:
        scale *= program.values[index(op.in.back())].scale;
        break;
      case OpCode::kRescale:
      case OpCode::kRelinearizeRescale:
        scale /= factors[index(x.level)];
        break;
      default:
        break;
    }
    for (const std::int32_t r : op.out) {
      program.values[index(r)].scale = scale;
    }
  }
}

bool assign_parameters(Program& program, const ParameterGoal& goal, const CostTable& table) {
  return Assignment(program, goal, table).run();
}

}  // namespace ffconv::plan
