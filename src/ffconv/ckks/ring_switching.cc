#include "ffconv/ckks/ring_switching.h"

#include <algorithm>
#include <cmath>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/key_switching.h"

namespace ffconv {
namespace {

std::vector<std::uint64_t> primes_of(const std::vector<std::uint64_t>& primes,
                                     const std::vector<std::uint16_t>& numbers) {
  std::vector<std::uint64_t> values;
  for (const std::uint16_t k : numbers) {
    values.push_back(primes[k]);
  }
  return values;
}

// The level of `in` with the primes of level `level` of `of`.
int matching_level(const Params& of, int level, const Params& in) {
  const auto primes = primes_of(of.q(), of.level(level).primes);
  for (int candidate = 0; candidate <= in.max_level(); ++candidate) {
    if (primes_of(in.q(), in.level(candidate).primes) == primes) {
      return candidate;
    }
  }
  fail(ErrorCode::kMismatch,
       "ring switching: no level at N = 2^{} has the primes of level {} at N = 2^{}: make both "
       "parameters from one list of primes, for the larger degree",
       in.log_n(), level, of.log_n());
}

// A key that descends is a sample under a secret of the small ring.
void check_descending_key(const Params& large, int level, const Params& small) {
  const double published = large.log_q(level) + large.log_p(level);
  if (large.spec().security == Security::k128 && published > max_log_qp(small.log_n())) {
    fail(ErrorCode::kInsecure,
         "ring switching: a key of level {} has log2 QP = {:.2f} bits and hides a secret of N = "
         "2^{}, where 128-bit security allows {:.0f}: descend at a lower level, or with smaller "
         "special primes",
         level, published, small.log_n(), max_log_qp(small.log_n()));
  }
}

void check_operands(const Ciphertext& a, const RingSwitchingKey& key, bool descends,
                    const char* operation) {
  internal::check_polynomials(a, 2, operation);
  if (key.descends() != descends) {
    fail(ErrorCode::kMismatch, "{}: the key leads from N = 2^{} to 2^{}", operation,
         key.from->params().log_n(), key.to->params().log_n());
  }
  if (a.context != key.from) {
    fail(ErrorCode::kMismatch, "{}: ciphertext and key belong to different parameters", operation);
  }
  if (&key.from->ring().kernels() != &key.to->ring().kernels()) {
    fail(ErrorCode::kMismatch, "{}: the rings belong to tiers {} and {}", operation,
         key.from->ring().kernels().name, key.to->ring().kernels().name);
  }
}

void check_serves(const RingSwitchingKey& key, int level, const char* operation) {
  if (!key.large().params().serves(key.key.level, level)) {
    fail(ErrorCode::kMissingKey,
         "{}: the key of level {} does not serve level {}: make one at that level", operation,
         key.key.level, level);
  }
}

// Limb i of QP of (c_0, 0) with c_1, decomposed, switched; c_0 over Q.
void switched_limb(const Decomposition& c1, const SwitchingKey& key, const Poly<Eval>& c0,
                   std::size_t i, Word* d0, Word* d1) {
  const Ring& ring = c0.ring();
  c1.limb(i).inner_product(key, 0, ring.n(), d0, d1, false);
  if (i < c0.limb_count()) {
    ring.kernels().add(d0, d0, c0.limb(i), ring.n(), c0.tables(i));
  }
}

// The projection of a limb of the large ring: half the sum of words 2k and 2k + 1. `odd` is scratch
// of the size of dst.
void project_limb(Word* dst, const Word* x, Word* odd, const Ring& small, std::uint16_t prime) {
  const std::size_t n = small.n();
  for (std::size_t k = 0; k < n; ++k) {
    dst[k] = x[2 * k];
    odd[k] = x[2 * k + 1];
  }
  const LimbTables& tables = small.tables(prime);
  small.kernels().add(dst, dst, odd, n, tables);
  small.kernels().mul_constant(dst, dst, small.constant((tables.q + 1) / 2, prime), n, tables);
}

// An element of the subring, as a polynomial over Q of the large ring's level.
Poly<Eval> embedded(const Poly<Eval>& x, const Context& large, int level) {
  Poly<Eval> result(large.ring(), large.q_basis(level));
  parallel_for(x.limb_count(), [&](std::size_t i) {
    const Word* src = x.limb(i);
    Word* dst = result.limb(i);
    for (std::size_t k = 0; k < x.ring().n(); ++k) {
      dst[2 * k] = dst[2 * k + 1] = src[k];
    }
  });
  return result;
}

// What switching `a` gives; level: of the large ring.
Ciphertext switched(const Ciphertext& a, PoolVector<Poly<Eval>> polys, const RingSwitchingKey& key,
                    int level, int new_level) {
  Ciphertext result;
  result.context = key.to;
  result.polys = std::move(polys);
  result.level = new_level;
  result.scale = a.scale;
  // Averages of slots whose errors are equal are no smaller (weights or a past in the subring).
  result.noise = {std::hypot(a.noise.error_std,
                             ring_switching_noise(key.large().params(), level, key.to->params())),
                  a.noise.message_max};
  return result;
}

}  // namespace

int subring_level(const Params& from, const Params& to, int level) {
  const bool descends = from.log_n() > to.log_n();
  const Params &large = descends ? from : to, &small = descends ? to : from;
  if (large.log_n() != small.log_n() + 1) {
    fail(ErrorCode::kMismatch,
         "ring switching: expected a ring of twice the other's degree, got N = 2^{} and 2^{}",
         from.log_n(), to.log_n());
  }
  if (large.spec().security != small.spec().security) {
    fail(ErrorCode::kMismatch, "ring switching: expected equal security, got {} and {} bits",
         from.security_bits(), to.security_bits());
  }
  if (!large.has_keys(level)) {
    fail(ErrorCode::kInvalidArgument,
         "ring switching: expected a level of 0 to {} that has special primes at N = 2^{}, got {}",
         large.max_key_level(), large.log_n(), level);
  }
  if (descends) {
    check_descending_key(large, level, small);
  }
  const int match = matching_level(large, level, small);
  if (descends && primes_of(large.p(), large.level(level).special) !=
                      primes_of(small.p(), small.level(match).special)) {
    fail(ErrorCode::kMismatch,
         "ring switching: expected the special primes of level {} at N = 2^{} at level {} of the "
         "subring too: the division by them happens there",
         level, large.log_n(), match);
  }
  return match;
}

Ciphertext descend(const Ciphertext& a, const RingSwitchingKey& key) {
  check_operands(a, key, true, "descend");
  const Context &large = *key.from, &small = *key.to;
  const int level = subring_level(large.params(), small.params(), a.level);
  check_serves(key, a.level, "descend");
  const std::size_t n = large.n();
  const Decomposition c1(large, a.polys[1], a.level);
  auto polys =
      bring_down(small.ring(), small.switch_down(level), [&](std::size_t i, Word* d0, Word* d1) {
        AlignedBuffer<Word> scratch(2 * n + n / 2);
        Word *x0 = scratch.data(), *x1 = x0 + n, *odd = x1 + n;
        switched_limb(c1, key.key, a.polys[0], i, x0, x1);
        project_limb(d0, x0, odd, small.ring(), small.qp_basis(level)[i]);
        project_limb(d1, x1, odd, small.ring(), small.qp_basis(level)[i]);
      });
  return switched(a, std::move(polys), key, a.level, level);
}

Ciphertext ascend(const Ciphertext& a, const RingSwitchingKey& key) {
  check_operands(a, key, false, "ascend");
  const Context& large = *key.to;
  const int level = matching_level(key.from->params(), a.level, large.params());
  subring_level(key.from->params(), large.params(), level);
  check_serves(key, level, "ascend");
  const Poly<Eval> c0 = embedded(a.polys[0], large, level);
  const Poly<Eval> embedded_c1 = embedded(a.polys[1], large, level);
  const Decomposition c1(large, embedded_c1, level);
  auto polys = bring_down(
      large.ring(), large.switch_down(level),
      [&](std::size_t i, Word* d0, Word* d1) { switched_limb(c1, key.key, c0, i, d0, d1); });
  return switched(a, std::move(polys), key, level, level);
}

}  // namespace ffconv
