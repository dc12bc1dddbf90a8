#include "ffconv/ckks/params.h"

#include <algorithm>
#include <cmath>
#include <numeric>

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

double log2_product(const std::vector<std::uint64_t>& primes, std::size_t count) {
  return std::accumulate(
      primes.begin(), primes.begin() + static_cast<std::ptrdiff_t>(count), 0.0,
      [](double sum, std::uint64_t q) { return sum + std::log2(static_cast<double>(q)); });
}

void check_ranges(const ParamsSpec& s) {
  const int min_log_n = s.security == Security::kInsecureForTesting ? 4 : kMinLogN;
  if (s.log_n < min_log_n || s.log_n > kMaxLogN) {
    fail(ErrorCode::kInvalidArgument, "log_n: expected {} to {}, got {}", min_log_n, kMaxLogN,
         s.log_n);
  }
  if (s.q_bits.empty() || s.q_bits.size() + s.p_bits.size() > kMaxPrimes) {
    fail(ErrorCode::kInvalidArgument, "primes: expected 1 to {} in all, got {} and {} special ones",
         kMaxPrimes, s.q_bits.size(), s.p_bits.size());
  }
  const int max_level = static_cast<int>(s.q_bits.size()) - 1;
  if (s.max_key_level < -1 || s.max_key_level > max_level) {
    fail(ErrorCode::kInvalidArgument, "max_key_level: expected -1 to {}, got {}", max_level,
         s.max_key_level);
  }
  if (s.max_key_level >= 0 && s.p_bits.empty()) {
    fail(ErrorCode::kInvalidArgument,
         "keys at level {} need special primes, got none: add p_bits or set max_key_level to -1",
         s.max_key_level);
  }
  if (s.digit_primes < 1 || s.digit_primes > kMaxPrimes) {
    fail(ErrorCode::kInvalidArgument, "digit_primes: expected 1 to {}, got {}", kMaxPrimes,
         s.digit_primes);
  }
}

}  // namespace

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
  ParamsSpec spec;
  spec.log_n = log_n;
  spec.q_bits.assign(static_cast<std::size_t>(row->depth) + 1, row->scale_bits);
  spec.q_bits[0] = row->last_bits;
  spec.p_bits.assign(static_cast<std::size_t>(row->special), row->special_bits);
  spec.digit_primes = row->special;
  spec.max_key_level = row->depth;
  return spec;
}

Params::Params(const ParamsSpec& spec) : spec_(spec) {
  check_ranges(spec_);
  std::vector<std::uint64_t> taken;
  const auto find_all = [&](const std::vector<double>& bits) {
    std::vector<std::uint64_t> primes;
    for (const double b : bits) {
      primes.push_back(find_prime(spec_.log_n, b, taken));
      taken.push_back(primes.back());
    }
    return primes;
  };
  q_ = find_all(spec_.q_bits);
  p_ = find_all(spec_.p_bits);
  for (int digit = 0; max_key_level() >= 0 && digit < digit_count(max_key_level()); ++digit) {
    const auto first = static_cast<std::size_t>(digit * spec_.digit_primes);
    const auto last = std::min(first + static_cast<std::size_t>(spec_.digit_primes),
                               static_cast<std::size_t>(max_key_level()) + 1);
    const double bits = log2_product(q_, last) - log2_product(q_, first);
    if (bits > log_p() + 1.0) {
      fail(ErrorCode::kInvalidArgument,
           "key-switching digit {} has {:.1f} bits, the special primes only {:.1f}: make digits "
           "smaller or special primes larger",
           digit, bits, log_p());
    }
  }
  if (spec_.security == Security::k128 && log_qp() > max_log_qp(spec_.log_n)) {
    fail(
        ErrorCode::kInsecure,
        "log2 QP = {:.2f} bits exceed the {:.0f} that give 128-bit security at N = 2^{}: use fewer "
        "or smaller primes, or a larger N",
        log_qp(), max_log_qp(spec_.log_n), spec_.log_n);
  }

  ByteWriter bytes;
  bytes.string("ffconv params 1");
  bytes.u32(static_cast<std::uint32_t>(spec_.log_n));
  for (const auto* primes : {&q_, &p_}) {
    bytes.u32(static_cast<std::uint32_t>(primes->size()));
    for (const std::uint64_t prime : *primes) {
      bytes.u64(prime);
    }
  }
  bytes.i32(spec_.digit_primes);
  bytes.i32(spec_.max_key_level);
  bytes.u8(static_cast<std::uint8_t>(spec_.security));
  ensure_sodium();
  crypto_generichash(fingerprint_.data(), fingerprint_.size(), bytes.view().data(), bytes.size(),
                     nullptr, 0);
}

Params Params::from_depth(int depth, double scale_bits, double last_bits) {
  if (depth < 0 || depth >= kMaxPrimes) {
    fail(ErrorCode::kInvalidArgument, "depth: expected 0 to {}, got {}", kMaxPrimes - 1, depth);
  }
  ParamsSpec spec;
  spec.q_bits.assign(static_cast<std::size_t>(depth) + 1, scale_bits);
  spec.q_bits[0] = last_bits;
  spec.max_key_level = depth;
  spec.p_bits = {static_cast<double>(kMaxPrimeBits)};
  for (spec.log_n = kMinLogN; spec.log_n <= kMaxLogN; ++spec.log_n) {
    const double total = depth * scale_bits + last_bits + kMaxPrimeBits;
    if (scale_bits >= spec.log_n + 4 && total + 0.5 <= max_log_qp(spec.log_n)) {
      return Params(spec);
    }
  }
  fail(ErrorCode::kInsecure,
       "depth {} at {:.1f} bits a level, {:.1f} at the last and {} special bits: no ring degree up "
       "to 2^{} is secure with that many; reduce the depth or the precision",
       depth, scale_bits, last_bits, kMaxPrimeBits, kMaxLogN);
}

double Params::log_q(int level) const {
  return log2_product(q_, static_cast<std::size_t>(level) + 1);
}

double Params::log_p() const {
  return log2_product(p_, p_.size());
}

double Params::log_qp() const {
  const double keys = max_key_level() < 0 ? 0.0 : log_q(max_key_level()) + log_p();
  return std::max(keys, log_q(max_level()));
}

int Params::security_bits() const {
  return spec_.security == Security::k128 ? 128 : 0;
}

std::string to_json(const ParamsSpec& s) {
  return nlohmann::json{{"log_n", s.log_n},
                        {"q_bits", s.q_bits},
                        {"p_bits", s.p_bits},
                        {"digit_primes", s.digit_primes},
                        {"max_key_level", s.max_key_level}}
      .dump();
}

ParamsSpec params_spec_from_json(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    ParamsSpec s;
    for (const auto& [key, value] : json.items()) {
      if (key == "log_n") {
        s.log_n = value.get<int>();
      } else if (key == "q_bits") {
        s.q_bits = value.get<std::vector<double>>();
      } else if (key == "p_bits") {
        s.p_bits = value.get<std::vector<double>>();
      } else if (key == "digit_primes") {
        s.digit_primes = value.get<int>();
      } else if (key == "max_key_level") {
        s.max_key_level = value.get<int>();
      } else {
        fail(ErrorCode::kFormat, "parameters: unknown field '{}'", key);
      }
    }
    return s;
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kFormat, "parameters: not the expected JSON: {}", error.what());
  }
}

}  // namespace ffconv
