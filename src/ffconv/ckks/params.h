// CKKS parameters: a plain description and the checked, immutable form that everything else uses.
//
// Ring: Z[X + 1/X] / (X^(2N) + 1), N = 2^log_n real slots at RLWE dimension N (Kim-Song, ePrint
// 2018/952). A level is a set of ciphertext primes with product Q_l, as few as its bits need
// (level_packing.h): levels share primes but need not contain each other. Rescaling multiplies by
// the primes that enter and divides by those that leave (BitPacker, ISCA 2024; Grafting, ePrint
// 2024/1014). Keys of a level live modulo Q_l P_l, P_l the product of the level's special primes;
// key switching splits Q_l into digits of digit_primes primes (Han-Ki, ePrint 2019/688).
//
// Security: 128 bits classical, uniform ternary secret, error sigma 3.2; limits on log2 of
// everything published (Bossuat et al., ePrint 2024/463). Enforced here, for the ciphertexts of
// every level and for the keys of every level that carries them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
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

struct LevelSpec {
  std::vector<std::uint16_t> primes;   // numbers of ciphertext primes, distinct, in limb order
  std::vector<std::uint16_t> special;  // numbers of special primes; empty: no keys at this level
  int digit_primes = 1;                // primes a key-switching digit

  bool operator==(const LevelSpec&) const = default;
};

// Plain description. Sizes are real numbers of bits: a prime is the one nearest to 2^bits that is
// not taken yet (ring/primes.h), so equal specs give equal primes for ever.
struct ParamsSpec {
  int log_n = 0;
  // Primes are 1 mod 4 * 2^prime_log_n, so that a ring of that degree shares them (halved). 0: no
  // larger ring than this one; otherwise in [log_n + 1, 17].
  int prime_log_n = 0;
  std::vector<double> q_bits;     // ciphertext primes, entries in [max(log_n, prime_log_n) + 4, 46]
  std::vector<double> p_bits;     // special primes, the same range
  std::vector<LevelSpec> levels;  // level 0 first; Q_l grows with l
  Security security = Security::k128;

  bool operator==(const ParamsSpec&) const = default;
};

// The chain in which level l holds q_0 .. q_l; keys with all special primes up to max_key_level
// (-1: none).
ParamsSpec one_prime_a_level(int log_n, std::vector<double> q_bits, std::vector<double> p_bits,
                             int digit_primes, int max_key_level);

// Parameters over the subring of half the degree (docs/ckks-conventions.md) with the same primes:
// levels 0 to max_level of `spec`. Held to the table at that degree, special primes included; clear
// those of levels that need no key.
ParamsSpec halved(const ParamsSpec& spec, int max_level);

// A general-purpose set for log_n 12 to 16: scale 2^40 (2^26 at 2^12) and as many levels as the
// table allows, one prime a level, keys at every level; depth 1, 3, 8, 18 and 39. Throws
// kInvalidArgument for another log_n.
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
  // last_bits, one prime a level, and keys at every level. Throws kInsecure when no N up to 2^17
  // holds them.
  static Params from_depth(int depth, double scale_bits, double last_bits);

  const ParamsSpec& spec() const { return spec_; }
  int log_n() const { return spec_.log_n; }
  std::size_t n() const { return std::size_t{1} << spec_.log_n; }
  std::size_t slot_count() const { return n(); }
  int max_level() const { return static_cast<int>(spec_.levels.size()) - 1; }
  int max_key_level() const { return max_key_level_; }  // -1: no keys at all
  // Whether there is such a level, and it has special primes.
  bool has_keys(int level) const {
    return level >= 0 && level <= max_level() && !this->level(level).special.empty();
  }
  const LevelSpec& level(int level) const { return spec_.levels[static_cast<std::size_t>(level)]; }
  const std::vector<std::uint64_t>& q() const { return q_; }
  const std::vector<std::uint64_t>& p() const { return p_; }
  int limb_count(int level) const { return static_cast<int>(this->level(level).primes.size()); }
  int digit_count(int level) const;
  // The primes of a digit, a part of level(level).primes.
  std::span<const std::uint16_t> digit(int level, int digit) const;
  // Whether a key made at `key_level` serves `level` too: its primes begin with those of `level`,
  // digits and special primes are the same.
  bool serves(int key_level, int level) const;

  double log_q(int level) const;  // log2 Q_level
  double log_p(int level) const;  // log2 P_level
  double log_qp() const;          // the largest log2 of anything published
  // Q_level / Q_(level - 1): what rescaling divides the scale by. level >= 1.
  double rescale_factor(int level) const;
  // 128 where the table is enforced, 0 for kInsecureForTesting.
  int security_bits() const;

  // BLAKE2b of the primes and of every field: objects of different parameters never mix.
  const std::array<std::uint8_t, 32>& fingerprint() const { return fingerprint_; }

 private:
  void check_level(int level) const;

  ParamsSpec spec_;
  std::vector<std::uint64_t> q_, p_;
  int max_key_level_ = -1;
  std::array<std::uint8_t, 32> fingerprint_;
};

// JSON with the fields of ParamsSpec by name. Throws kFormat on anything unknown or malformed.
std::string to_json(const ParamsSpec& spec);
ParamsSpec params_spec_from_json(const std::string& text);

}  // namespace ffconv
