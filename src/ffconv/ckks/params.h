// CKKS parameters: a plain description and the checked, immutable form that everything else uses.
//
// Ring: Z[X + 1/X] / (X^(2N) + 1), N = 2^log_n real slots at RLWE dimension N (Kim-Song, ePrint
// 2018/952). Ciphertexts at level l live modulo Q_l = q_0 ... q_l; keys of level l modulo Q_l P
// with P = p_0 ... p_(K-1). Key switching splits Q_l into digits of digit_primes primes (Han-Ki,
// ePrint 2019/688).
//
// Security: 128 bits classical, uniform ternary secret, error sigma 3.2; limits on log2 of
// everything published (Bossuat et al., ePrint 2024/463). Enforced here, for ciphertexts at the
// highest level and for keys at the highest level that carries one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ffconv {

enum class Security {
  k128,
  kInsecureForTesting,  // no limit at all: small rings in tests only
};

inline constexpr double kErrorSigma = 3.2;
inline constexpr int kMinLogN = 10;
inline constexpr int kMaxLogN = 17;
inline constexpr int kMaxPrimeBits = 46;  // primes are below 2^46
inline constexpr int kMaxPrimes = 128;    // ciphertext and special primes together

// Plain description. Sizes are real numbers of bits: a prime is the one nearest to 2^bits that is
// not taken yet (ring/primes.h), so equal specs give equal primes for ever.
struct ParamsSpec {
  int log_n = 0;
  std::vector<double> q_bits;  // q_0 .. q_L; 1 to kMaxPrimes entries in [log_n + 4, 46]
  std::vector<double> p_bits;  // special primes; empty: no keys can be made
  int digit_primes = 1;        // primes a key-switching digit, in [1, special primes]
  int max_key_level = -1;      // highest level at which keys are made; -1: no key
  Security security = Security::k128;

  bool operator==(const ParamsSpec&) const = default;
};

// A general-purpose set for log_n 12 to 16: scale 2^40 (2^26 at 2^12) and as many levels as the
// table allows, keys at every level; depth 1, 3, 8, 18 and 39. Throws kInvalidArgument for another
// log_n.
ParamsSpec preset(int log_n);

// Largest log2(QP) at 128 bits for this ring degree; throws kInvalidArgument outside log_n 10
// to 17.
double max_log_qp(int log_n);

class Params {
 public:
  // Throws kInvalidArgument (a field outside its range) or kInsecure (beyond the table; the message
  // names both sides).
  explicit Params(const ParamsSpec& spec);

  // The smallest safe parameters for `depth` rescalings by primes of scale_bits, a last modulus of
  // last_bits, and keys at every level. Throws kInsecure when no N up to 2^17 holds them.
  static Params from_depth(int depth, double scale_bits, double last_bits);

  const ParamsSpec& spec() const { return spec_; }
  int log_n() const { return spec_.log_n; }
  std::size_t n() const { return std::size_t{1} << spec_.log_n; }
  std::size_t slot_count() const { return n(); }
  int max_level() const { return static_cast<int>(q_.size()) - 1; }
  int max_key_level() const { return spec_.max_key_level; }
  const std::vector<std::uint64_t>& q() const { return q_; }
  const std::vector<std::uint64_t>& p() const { return p_; }
  int digit_primes() const { return spec_.digit_primes; }
  int digit_count(int level) const { return (level + spec_.digit_primes) / spec_.digit_primes; }

  double log_q(int level) const;  // log2 Q_level
  double log_p() const;           // log2 P
  double log_qp() const;          // the largest log2 of anything published
  // 128 where the table is enforced, 0 for kInsecureForTesting.
  int security_bits() const;

  // BLAKE2b of the primes and of every field: objects of different parameters never mix.
  const std::array<std::uint8_t, 32>& fingerprint() const { return fingerprint_; }

 private:
  ParamsSpec spec_;
  std::vector<std::uint64_t> q_, p_;
  std::array<std::uint8_t, 32> fingerprint_;
};

// JSON with the fields of ParamsSpec by name. Throws kFormat on anything unknown or malformed.
std::string to_json(const ParamsSpec& spec);
ParamsSpec params_spec_from_json(const std::string& text);

}  // namespace ffconv
