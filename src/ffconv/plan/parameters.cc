#include "ffconv/plan/parameters.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"
#include "ffconv/plan/errors.h"
#include "ffconv/plan/precision.h"

namespace ffconv::plan {
namespace {

constexpr double kMaxValueBits = 40;    // b; doubles encode and decode this precisely
constexpr double kLastModulusBits = 3;  // of q_0 beyond b: sign, two to spare
constexpr double kSpecialBits = 5;  // of P beyond the largest digit: key errors below rounding's
constexpr double kBitStep = 0.25;

std::size_t index(std::int32_t number) {
  return static_cast<std::size_t>(number);
}

double sum(std::span<const double> bits) {
  return std::accumulate(bits.begin(), bits.end(), 0.0);
}

// The chain with these bits, or nothing if the ring does not hold it within `limit` bits.
std::optional<ParamsSpec> make_chain(const ChainShape& shape, const RingShape& ring,
                                     double value_bits, double weight_bits, double limit) {
  ParamsSpec spec;
  spec.log_n = ring.log_n;
  spec.q_bits.push_back(value_bits + kLastModulusBits);
  for (std::size_t level = 1; level < shape.square.size(); ++level) {
    spec.q_bits.push_back(shape.square[level] ? value_bits : weight_bits);
  }
  if (sum(spec.q_bits) > limit) {
    return std::nullopt;
  }
  if (shape.max_key_level < 0) {
    return spec;
  }
  spec.max_key_level = shape.max_key_level;
  spec.digit_primes = ring.digit_primes;
  const std::span keyed(spec.q_bits.data(), index(shape.max_key_level) + 1);
  double digit_bits = 0;
  for (std::size_t first = 0; first < keyed.size(); first += index(ring.digit_primes)) {
    const std::size_t count = std::min(index(ring.digit_primes), keyed.size() - first);
    digit_bits = std::max(digit_bits, sum(keyed.subspan(first, count)));
  }
  const double special_bits =
      std::min(digit_bits + kSpecialBits, 1.0 * kMaxPrimeBits * ring.special_primes);
  spec.p_bits.assign(index(ring.special_primes), special_bits / ring.special_primes);
  const bool fits = special_bits >= digit_bits && sum(keyed) + special_bits <= limit &&
                    spec.p_bits[0] >= ring.log_n + 4;
  return fits ? std::optional(spec) : std::nullopt;
}

// More bits for weights never hurt: the chain with the most of them that fits.
std::optional<ParamsSpec> widest_weights(const ChainShape& shape, const RingShape& ring,
                                         double value_bits, double limit) {
  const double least = ring.log_n + 4;
  auto low = std::size_t{0};  // in steps above `least`
  auto high = static_cast<std::size_t>((kMaxPrimeBits - least) / kBitStep);
  std::optional<ParamsSpec> best = make_chain(shape, ring, value_bits, least, limit);
  while (best && low < high) {
    const std::size_t middle = (low + high + 1) / 2;
    auto spec =
        make_chain(shape, ring, value_bits, least + kBitStep * static_cast<double>(middle), limit);
    if (spec) {
      best = std::move(spec);
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return best;
}

struct Choice {
  ParamsSpec spec;
  std::vector<double> primes;  // q_0, q_1, ..
  double value_bits = 0;
};

// The chain with these value bits and as many for weights as its real primes leave secure.
std::optional<Choice> try_chain(const ChainShape& shape, const RingShape& ring, double value_bits) {
  // Primes lie near the bits asked for, not on them: where the real ones are beyond the row, a
  // little less is asked for.
  constexpr int kSteps = 8;
  for (int step = 0; step <= kSteps; ++step) {
    const double slack = step * kBitStep;
    const auto spec = widest_weights(shape, ring, value_bits, max_log_qp(ring.log_n) - slack);
    if (!spec) {
      return std::nullopt;
    }
    try {
      const Params params(*spec);
      return Choice{*spec, {params.q().begin(), params.q().end()}, value_bits};
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInvalidArgument) {  // too few primes of that size
        return std::nullopt;
      }
      if (error.code() != ErrorCode::kInsecure) {
        throw;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

ChainShape chain_shape(const Program& program) {
  ChainShape shape;
  int top = 0;
  for (const ValueInfo& value : program.values) {
    top = std::max(top, value.level);
  }
  shape.square.assign(index(top) + 1, false);
  for (const Instruction& op : program.instructions) {
    if (op.op == OpCode::kSquare || op.op == OpCode::kMultiply) {
      shape.square[index(program.values[index(op.in[0])].level)] = true;
    }
  }
  const KeyRequest keys = key_request(program);
  shape.max_key_level = keys.relinearization_level;
  for (const auto& rotation : keys.rotations) {
    shape.max_key_level = std::max(shape.max_key_level, rotation.level);
  }
  return shape;
}

bool chain_fits(const ChainShape& shape, const RingShape& ring, double margin,
                double precision_bits) {
  const double least_bits = least_value_bits(ring.log_n, precision_bits, margin);
  return shape.square.size() + index(ring.special_primes) <= kMaxPrimes &&
         make_chain(shape, ring, least_bits, ring.log_n + 4, max_log_qp(ring.log_n)).has_value();
}

double least_value_bits(int log_n, double precision_bits, double margin) {
  ParamsSpec ring;
  ring.log_n = log_n;
  return std::max<double>(log_n + 4,
                          std::log2(ErrorModel(ring).rounding() / margin) + precision_bits);
}

double least_chain_bits(int log_n, int levels, double precision_bits, double margin) {
  return least_value_bits(log_n, precision_bits, margin) + kLastModulusBits +
         levels * (log_n + 4.0);
}

void assign_scales(Program& program, std::span<const double> primes, double value_bits) {
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
        scale = full_scale(program.values[index(op.out[0])]) * primes[index(x.level)];
        op.plain_scale = scale / x.scale;
        break;
      case OpCode::kSquare:
      case OpCode::kMultiply:
        scale *= program.values[index(op.in.back())].scale;
        break;
      case OpCode::kRescale:
      case OpCode::kRelinearizeRescale:
        scale /= primes[index(x.level)];
        break;
      default:
        break;
    }
    for (const std::int32_t r : op.out) {
      program.values[index(r)].scale = scale;
    }
  }
}

bool assign_parameters(Program& program, const RingShape& ring, double margin) {
  const ChainShape shape = chain_shape(program);
  const ErrorPropagation errors(program, margin);
  std::optional<Choice> best;
  double best_std = std::numeric_limits<double>::infinity();
  const auto apply = [&](const Choice& choice) {
    program.params = choice.spec;
    assign_scales(program, choice.primes, choice.value_bits);
    return errors.output_std(program);
  };
  const double least_bits = ring.log_n + 4;
  const auto steps = static_cast<int>((kMaxValueBits - least_bits) / kBitStep);
  for (int step = 0; step <= steps; ++step) {
    const double value_bits = kMaxValueBits - step * kBitStep;
    if (auto choice = try_chain(shape, ring, value_bits)) {
      if (const double std = apply(*choice); std < best_std) {
        best_std = std;
        best = std::move(choice);
      }
    }
  }
  if (best) {
    program.output_noise_std = apply(*best);
  }
  return best.has_value();
}

}  // namespace ffconv::plan
