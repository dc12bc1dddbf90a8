#include "ffconv/ckks/params.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include <sodium.h>

#include <nlohmann/json.hpp>

#include "ffconv/base/bytes.h"
#include "ffconv/base/error.h"
#include "ffconv/base/random.h"
#include "ffconv/ring/primes.h"

namespace ffconv {
namespace {

// Bossuat et al., ePrint 2024/463: 128-bit classical security, uniform ternary secret, sigma 3.2;
// log_n 10 to 17. The rows for 2^10 and 2^11, which its tables leave out, stay one bit
// below those of the Homomorphic Encryption Standard (2018).
constexpr std::array<double, kMaxLogN - kMinLogN + 1> kMaxLogQp = {26,  53,  106,  214,
                                                                   430, 868, 1747, 3523};

double log2_product(const std::vector<std::uint64_t>& primes,
                    std::span<const std::uint16_t> numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0, [&](double sum, std::uint16_t k) {
    return sum + std::log2(static_cast<double>(primes[k]));
  });
}

// Every number below `count`, none twice.
void check_numbers(const std::vector<std::uint16_t>& numbers, std::size_t count, const char* kind,
                   std::size_t level) {
  std::set<std::uint16_t> seen;
  for (const std::uint16_t k : numbers) {
    if (k >= count || !seen.insert(k).second) {
      fail(ErrorCode::kInvalidArgument,
           "level {}: expected distinct numbers of {} primes below {}, got {}", level, kind, count,
           k);
    }
  }
}

void check_ranges(const ParamsSpec& s) {
  const int min_log_n = s.security == Security::kInsecureForTesting ? 4 : kMinLogN;
  if (s.log_n < min_log_n || s.log_n > kMaxLogN) {
    fail(ErrorCode::kInvalidArgument, "log_n: expected {} to {}, got {}", min_log_n, kMaxLogN,
         s.log_n);
  }
  if (s.prime_log_n != 0 && (s.prime_log_n <= s.log_n || s.prime_log_n > kMaxLogN)) {
    fail(ErrorCode::kInvalidArgument,
         "prime_log_n: expected 0 or the log_n of a larger ring, {} to {}, got {}", s.log_n + 1,
         kMaxLogN, s.prime_log_n);
  }
  if (s.q_bits.empty() || s.q_bits.size() + s.p_bits.size() > kMaxPrimes) {
    fail(ErrorCode::kInvalidArgument, "primes: expected 1 to {} in all, got {} and {} special ones",
         kMaxPrimes, s.q_bits.size(), s.p_bits.size());
  }
  if (s.levels.empty() || s.levels.size() > kMaxPrimes) {
    fail(ErrorCode::kInvalidArgument, "levels: expected 1 to {}, got {}", kMaxPrimes,
         s.levels.size());
  }
  for (std::size_t l = 0; l < s.levels.size(); ++l) {
    const LevelSpec& level = s.levels[l];
    if (level.primes.empty()) {
      fail(ErrorCode::kInvalidArgument, "level {}: expected at least one prime, got none", l);
    }
    check_numbers(level.primes, s.q_bits.size(), "ciphertext", l);
    check_numbers(level.special, s.p_bits.size(), "special", l);
    if (level.digit_primes < 1 || level.digit_primes > kMaxPrimes) {
      fail(ErrorCode::kInvalidArgument, "level {}: digit_primes: expected 1 to {}, got {}", l,
           kMaxPrimes, level.digit_primes);
    }
  }
}

}  // namespace

ParamsSpec one_prime_a_level(int log_n, std::vector<double> q_bits, std::vector<double> p_bits,
                             int digit_primes, int max_key_level) {
  ParamsSpec spec;
  spec.log_n = log_n;
  spec.q_bits = std::move(q_bits);
  spec.p_bits = std::move(p_bits);
  LevelSpec level;
  level.digit_primes = digit_primes;
  for (std::size_t k = 0; k < spec.p_bits.size(); ++k) {
    level.special.push_back(static_cast<std::uint16_t>(k));
  }
  for (std::size_t l = 0; l < spec.q_bits.size(); ++l) {
    level.primes.push_back(static_cast<std::uint16_t>(l));
    if (static_cast<int>(l) > max_key_level) {
      level.special.clear();
    }
    spec.levels.push_back(level);
  }
  return spec;
}

ParamsSpec halved(const ParamsSpec& spec, int max_level) {
  if (max_level < 0 || static_cast<std::size_t>(max_level) >= spec.levels.size()) {
    fail(ErrorCode::kInvalidArgument, "halved: expected a level of 0 to {}, got {}",
         spec.levels.size() - 1, max_level);
  }
  ParamsSpec half = spec;
  half.log_n = spec.log_n - 1;
  half.prime_log_n = std::max(spec.log_n, spec.prime_log_n);
  half.levels.resize(static_cast<std::size_t>(max_level) + 1);
  return half;
}

double max_log_qp(int log_n) {
  if (log_n < kMinLogN || log_n > kMaxLogN) {
    fail(ErrorCode::kInvalidArgument, "log_n: expected {} to {}, got {}", kMinLogN, kMaxLogN,
         log_n);
  }
  return kMaxLogQp[static_cast<std::size_t>(log_n - kMinLogN)];
}

ParamsSpec preset(int log_n) {
  struct Row {
    int log_n, depth, special;  // as many primes a digit as special ones
    double scale_bits, last_bits, special_bits;
  };
  constexpr std::array<Row, 5> kRows = {{{12, 1, 1, 26, 34, 40},
                                         {13, 3, 1, 40, 44, 46},
                                         {14, 8, 1, 40, 44, 46},
                                         {15, 18, 2, 40, 44, 46},
                                         {16, 39, 3, 40, 44, 46}}};
  const auto row = std::find_if(kRows.begin(), kRows.end(),
                                [log_n](const Row& candidate) { return candidate.log_n == log_n; });
  if (row == kRows.end()) {
    fail(ErrorCode::kInvalidArgument, "preset: expected log_n 12 to 16, got {}", log_n);
  }
  std::vector<double> q_bits(static_cast<std::size_t>(row->depth) + 1, row->scale_bits);
  q_bits[0] = row->last_bits;
  return one_prime_a_level(
      log_n, q_bits, std::vector<double>(static_cast<std::size_t>(row->special), row->special_bits),
      row->special, row->depth);
}

Params::Params(const ParamsSpec& spec) : spec_(spec) {
  check_ranges(spec_);
  std::vector<std::uint64_t> taken;
  const auto find_all = [&](const std::vector<double>& bits) {
    std::vector<std::uint64_t> primes;
    for (const double b : bits) {
      primes.push_back(find_prime(std::max(spec_.log_n, spec_.prime_log_n), b, taken));
      taken.push_back(primes.back());
    }
    return primes;
  };
  q_ = find_all(spec_.q_bits);
  p_ = find_all(spec_.p_bits);
  for (int level = 0; level <= max_level(); ++level) {
    check_level(level);
    max_key_level_ = has_keys(level) ? level : max_key_level_;
  }

  ByteWriter bytes;
  bytes.string("ffconv params 3");
  bytes.u32(static_cast<std::uint32_t>(spec_.log_n));
  bytes.u32(static_cast<std::uint32_t>(spec_.prime_log_n));
  for (const auto* primes : {&q_, &p_}) {
    bytes.u32(static_cast<std::uint32_t>(primes->size()));
    for (const std::uint64_t prime : *primes) {
      bytes.u64(prime);
    }
  }
  bytes.u32(static_cast<std::uint32_t>(spec_.levels.size()));
  for (const LevelSpec& level : spec_.levels) {
    for (const auto* numbers : {&level.primes, &level.special}) {
      bytes.u32(static_cast<std::uint32_t>(numbers->size()));
      for (const std::uint16_t k : *numbers) {
        bytes.u32(k);
      }
    }
    bytes.i32(level.digit_primes);
  }
  bytes.u8(static_cast<std::uint8_t>(spec_.security));
  ensure_sodium();
  crypto_generichash(fingerprint_.data(), fingerprint_.size(), bytes.view().data(), bytes.size(),
                     nullptr, 0);
}

// Q grows with the level, digits are covered by the special primes, the security row holds.
void Params::check_level(int level) const {
  if (level > 0 && log_q(level) <= log_q(level - 1)) {
    fail(ErrorCode::kInvalidArgument,
         "level {}: expected a modulus above the {:.2f} bits of level {}, got {:.2f} bits", level,
         log_q(level - 1), level - 1, log_q(level));
  }
  for (int digit = 0; has_keys(level) && digit < digit_count(level); ++digit) {
    const double bits = log2_product(q_, this->digit(level, digit));
    if (bits > log_p(level) + 1.0) {
      fail(ErrorCode::kInvalidArgument,
           "level {}: key-switching digit {} has {:.1f} bits, the special primes only {:.1f}: make "
           "digits smaller or special primes larger",
           level, digit, bits, log_p(level));
    }
  }
  const double published = log_q(level) + log_p(level);
  if (spec_.security == Security::k128 && published > max_log_qp(spec_.log_n)) {
    fail(ErrorCode::kInsecure,
         "level {}: log2 QP = {:.2f} bits exceed the {:.0f} that give 128-bit security at N = "
         "2^{}: use fewer or smaller primes, or a larger N",
         level, published, max_log_qp(spec_.log_n), spec_.log_n);
  }
}

Params Params::from_depth(int depth, double scale_bits, double last_bits) {
  if (depth < 0 || depth >= kMaxPrimes) {
    fail(ErrorCode::kInvalidArgument, "depth: expected 0 to {}, got {}", kMaxPrimes - 1, depth);
  }
  std::vector<double> q_bits(static_cast<std::size_t>(depth) + 1, scale_bits);
  q_bits[0] = last_bits;
  for (int log_n = kMinLogN; log_n <= kMaxLogN; ++log_n) {
    const double total = depth * scale_bits + last_bits + kMaxPrimeBits;
    if (std::min(scale_bits, last_bits) >= log_n + 4 && total + 0.5 <= max_log_qp(log_n)) {
      return Params(one_prime_a_level(log_n, q_bits, {kMaxPrimeBits}, 1, depth));
    }
  }
  fail(ErrorCode::kInsecure,
       "depth {} at {:.1f} bits a level, {:.1f} at the last and {} special bits: no ring degree up "
       "to 2^{} is secure with that many; reduce the depth or the precision",
       depth, scale_bits, last_bits, kMaxPrimeBits, kMaxLogN);
}

int Params::digit_count(int level) const {
  const LevelSpec& spec = this->level(level);
  return (limb_count(level) + spec.digit_primes - 1) / spec.digit_primes;
}

std::span<const std::uint16_t> Params::digit(int level, int digit) const {
  const LevelSpec& spec = this->level(level);
  const auto size = static_cast<std::size_t>(spec.digit_primes);
  const std::size_t first = static_cast<std::size_t>(digit) * size;
  return std::span(spec.primes).subspan(first, std::min(size, spec.primes.size() - first));
}

bool Params::serves(int key_level, int level) const {
  const LevelSpec &key = this->level(key_level), &used = this->level(level);
  return key_level == level ||
         (key.special == used.special && key.digit_primes == used.digit_primes &&
          key.primes.size() >= used.primes.size() &&
          std::equal(used.primes.begin(), used.primes.end(), key.primes.begin()));
}

double Params::log_q(int level) const {
  return log2_product(q_, this->level(level).primes);
}

double Params::log_p(int level) const {
  return log2_product(p_, this->level(level).special);
}

double Params::log_qp() const {
  double most = 0.0;
  for (int level = 0; level <= max_level(); ++level) {
    most = std::max(most, log_q(level) + log_p(level));
  }
  return most;
}

double Params::rescale_factor(int level) const {
  // Shared primes cancel exactly; the factors are multiplied in the order of the lists.
  const auto product_without = [&](int of, int without) {
    double product = 1.0;
    const auto& skip = this->level(without).primes;
    for (const std::uint16_t k : this->level(of).primes) {
      product *=
          std::find(skip.begin(), skip.end(), k) == skip.end() ? static_cast<double>(q_[k]) : 1.0;
    }
    return product;
  };
  return product_without(level, level - 1) / product_without(level - 1, level);
}

int Params::security_bits() const {
  return spec_.security == Security::k128 ? 128 : 0;
}

std::string to_json(const ParamsSpec& s) {
  auto levels = nlohmann::json::array();
  for (const LevelSpec& level : s.levels) {
    levels.push_back({{"primes", level.primes},
                      {"special", level.special},
                      {"digit_primes", level.digit_primes}});
  }
  return nlohmann::json{{"log_n", s.log_n},
                        {"prime_log_n", s.prime_log_n},
                        {"q_bits", s.q_bits},
                        {"p_bits", s.p_bits},
                        {"levels", levels}}
      .dump();
}

ParamsSpec params_spec_from_json(const std::string& text) {
  // Calls the reader of each field; every field must have one.
  using Readers = std::map<std::string, std::function<void(const nlohmann::json&)>>;
  const auto read = [](const nlohmann::json& object, const Readers& readers) {
    for (const auto& [key, value] : object.items()) {
      const auto reader = readers.find(key);
      if (reader == readers.end()) {
        fail(ErrorCode::kFormat, "parameters: unknown field '{}'", key);
      }
      reader->second(value);
    }
  };
  try {
    ParamsSpec s;
    const auto read_level = [&](const nlohmann::json& object) {
      LevelSpec level;
      read(object, {{"primes", [&](const auto& v) { v.get_to(level.primes); }},
                    {"special", [&](const auto& v) { v.get_to(level.special); }},
                    {"digit_primes", [&](const auto& v) { v.get_to(level.digit_primes); }}});
      s.levels.push_back(std::move(level));
    };
    read(nlohmann::json::parse(text),
         {{"log_n", [&](const auto& v) { v.get_to(s.log_n); }},
          {"prime_log_n", [&](const auto& v) { v.get_to(s.prime_log_n); }},
          {"q_bits", [&](const auto& v) { v.get_to(s.q_bits); }},
          {"p_bits", [&](const auto& v) { v.get_to(s.p_bits); }},
          {"levels", [&](const auto& v) { std::ranges::for_each(v, read_level); }}});
    return s;
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kFormat, "parameters: not the expected JSON: {}", error.what());
  }
}

}  // namespace ffconv
