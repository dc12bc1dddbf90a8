#include "ffconv/ckks/level_packing.h"

#include <algorithm>
#include <cmath>

#include "ffconv/base/assert.h"

namespace ffconv {
namespace {

// A terminal prime this close to a shared one is the shared one itself.
constexpr double kSameBits = 0.25;
// Terminal primes are at least log_n + kTerminalBits bits: below, primes = 1 mod 4N are too few to
// come near a size.
constexpr double kTerminalBits = 6.0;

class Packing {
 public:
  Packing(int log_n, std::span<const double> level_bits, double word_bits)
      : smallest_(log_n + kTerminalBits), word_bits_(word_bits) {
    spec_.log_n = log_n;
    double shared_bits = 0.0;
    for (const double bits : level_bits) {
      shared_bits = std::max(shared_bits, bits / word_count(bits, word_bits));
    }
    shared_bits_ = shared_bits;
    for (const double bits : level_bits) {
      add_level(bits);
    }
  }
  ParamsSpec take() { return std::move(spec_); }

 private:
  void add_level(double bits) {
    const int words = word_count(bits, word_bits_);
    const double terminal = bits - (words - 1) * shared_bits_;
    LevelSpec level;
    if (std::abs(terminal - shared_bits_) < kSameBits) {
      share(level, words);
    } else if (words == 1 || terminal >= smallest_) {
      share(level, words - 1);
      append(level, terminal);
    } else {
      share(level, words - 2);
      append(level, (shared_bits_ + terminal) / 2);
      append(level, (shared_bits_ + terminal) / 2);
    }
    spec_.levels.push_back(std::move(level));
  }

  void share(LevelSpec& level, int count) {
    while (static_cast<int>(shared_.size()) < count) {
      shared_.push_back(add_prime(shared_bits_));
    }
    level.primes.assign(shared_.begin(), shared_.begin() + count);
  }
  void append(LevelSpec& level, double bits) { level.primes.push_back(add_prime(bits)); }
  std::uint16_t add_prime(double bits) {
    spec_.q_bits.push_back(bits);
    return static_cast<std::uint16_t>(spec_.q_bits.size() - 1);
  }

  const double smallest_, word_bits_;
  double shared_bits_ = 0.0;
  std::vector<std::uint16_t> shared_;
  ParamsSpec spec_;
};

}  // namespace

int word_count(double bits, double word_bits) {
  return std::max(1, static_cast<int>(std::ceil(bits / word_bits - 1e-9)));
}

ParamsSpec pack_levels(int log_n, std::span<const double> level_bits, double word_bits) {
  FFCONV_ASSERT(!level_bits.empty() && std::is_sorted(level_bits.begin(), level_bits.end()));
  return Packing(log_n, level_bits, word_bits).take();
}

std::optional<KeyShape> fit_keys(const ParamsSpec& spec, int level, int special, int digit_primes,
                                 double room) {
  const LevelSpec& keyed = spec.levels[static_cast<std::size_t>(level)];
  const auto size = static_cast<std::size_t>(digit_primes);
  double digit_bits = 0.0;
  for (std::size_t first = 0; first < keyed.primes.size(); first += size) {
    double bits = 0.0;
    for (std::size_t i = first; i < std::min(first + size, keyed.primes.size()); ++i) {
      bits += spec.q_bits[keyed.primes[i]];
    }
    digit_bits = std::max(digit_bits, bits);
  }
  const double bits = std::min({digit_bits + kSpecialMargin, room, 1.0 * kMaxPrimeBits * special});
  if (bits < digit_bits || bits < special * (spec.log_n + kTerminalBits)) {
    return std::nullopt;
  }
  return KeyShape{special, digit_primes, bits / special};
}

void add_keys(ParamsSpec& spec, int level, const KeyShape& keys) {
  LevelSpec& keyed = spec.levels[static_cast<std::size_t>(level)];
  keyed.digit_primes = keys.digit_primes;
  keyed.special.clear();
  for (std::size_t k = 0; static_cast<int>(keyed.special.size()) < keys.special; ++k) {
    if (k == spec.p_bits.size()) {
      spec.p_bits.push_back(keys.bits);
    }
    if (std::abs(spec.p_bits[k] - keys.bits) < 1e-9) {
      keyed.special.push_back(static_cast<std::uint16_t>(k));
    }
  }
}

}  // namespace ffconv
