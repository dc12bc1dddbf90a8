// The kernel table: every hot loop on a limb, once per instruction-set tier.
//
// A limb is N words modulo one prime. Its form is the tier's own, and only kernels look inside:
//   scalar             canonical residue in [0, q), as an integer
//   avx2, avx512       an integer x held in a double, x = residue mod q, |x| <= 1.4 q
//   avx512ifma         an integer x in [0, 4q), x = residue mod q
// import and export convert from and to canonical residues; two tiers agree when their exports do,
// bit for bit; N zero words are a zero limb in every tier. A *digit* is N words that hold the
// integers of one limb in [-(q-1)/2, (q-1)/2], exactly, so that another prime can reduce them (base
// extension); its form, and that of an overflow, is the tier's own too (double, two's complement).
//
// Evaluation form: word i is the value at w^e, e = 1 + 4 * reverse_bits(i, log_n), w the primitive
// 4N-th root of the prime; in coefficient form word i is the coefficient of X^i + X^-i (of 1 for i
// = 0).
//
// All pointers are 64-byte aligned. Unless said, dst may equal an input, never overlap it in part.
// n is the number of words, a power of two. Entry and exit: reduced words as above. Running time
// depends on n and on the counts only, never on the data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ffconv/base/aligned_buffer.h"

namespace ffconv {

using Word = std::uint64_t;

// A constant modulo one prime, prepared by Kernels::make_constant of the same tier and prime.
struct Constant {
  Word value;
  Word ratio;  // the tier's precomputed quotient, value / q
};

// One prime at one ring degree, in one tier: what its kernels need.
struct LimbTables {
  std::uint64_t q = 0;
  int log_n = 0;
  std::uint64_t root = 0;  // w
  // Twiddles of the N-point transform and its inverse, in the tier's own arrangement.
  AlignedBuffer<Constant> forward, inverse;
  Constant psi;           // w^N, psi^2 = -1: the fold
  Constant unfold;        // 1 / 2N; avx512ifma: (1 + psi) / 4N
  Constant unfold_first;  // 1 / N; avx512ifma: (1 - psi) / 4N; avx2, avx512: none
};

// Permutation of the words in evaluation form: word i of the result is word source[i]. Rotations of
// the slots map every aligned run of 2^k words to an aligned run.
struct WordPermutation {
  AlignedBuffer<std::uint32_t> source;
};

struct EmbeddingTables;

// Packed limbs (Kernels::pack48).
inline constexpr std::size_t kPackedBytes = 6;  // a residue
inline constexpr std::size_t kPackedRun = 8;    // residues
inline constexpr std::size_t kRunBytes = kPackedRun * kPackedBytes;

struct Kernels {
  std::string_view name;
  int min_log_n;  // smallest ring; n is at least 2^min_log_n in every call

  // Fills tables.forward, inverse and constants for tables.q, log_n, root.
  void (*prepare)(LimbTables& tables);
  // value in [0, q).
  Constant (*make_constant)(std::uint64_t value, std::uint64_t q);

  // Canonical residues -> limb, and back.
  void (*import_limb)(Word* dst, const std::uint64_t* src, std::size_t n, const LimbTables&);
  void (*export_limb)(std::uint64_t* dst, const Word* src, std::size_t n, const LimbTables&);
  // Signed integers, |src[i]| < 2^62 -> limb.
  void (*import_signed)(Word* dst, const std::int64_t* src, std::size_t n, const LimbTables&);

  // Coefficient form -> evaluation form and back, in place: fold and N-point transform.
  void (*ntt_forward)(Word* x, const LimbTables&);
  void (*ntt_inverse)(Word* x, const LimbTables&);

  void (*add)(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables&);
  void (*sub)(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables&);
  void (*mul)(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables&);
  void (*mul_constant)(Word* dst, const Word* a, const Constant& c, std::size_t n,
                       const LimbTables&);
  // dst = a * c - b: the last step of every division by primes.
  void (*mul_constant_sub)(Word* dst, const Word* a, const Constant& c, const Word* b,
                           std::size_t n, const LimbTables&);

  // dst[i] = src[source[i] mod n]; dst != src. Works on limbs of any prime. `source` is a run of a
  // rotation's WordPermutation, src the run of words that it maps to.
  void (*permute)(Word* dst, const Word* src, const std::uint32_t* source, std::size_t n);
  // dst[i] = (a - b + c)[source[i] mod n], b or c nullptr for none: the last step of a rotation.
  // dst is not among the inputs.
  void (*sub_add_permute)(Word* dst, const Word* a, const Word* b, const Word* c,
                          const std::uint32_t* source, std::size_t n, const LimbTables&);

  // dst0 = a0 b0, dst1 = a0 b1 + a1 b0, dst2 = a1 b1. dst0, dst1 and dst2 are not among the inputs.
  void (*tensor)(Word* dst0, Word* dst1, Word* dst2, const Word* a0, const Word* a1, const Word* b0,
                 const Word* b1, std::size_t n, const LimbTables&);

  // Packed limbs, for operands that stream from memory: canonical residues of 6 bytes, lowest byte
  // first, in runs of kPackedRun residues that begin `stride` bytes apart; no alignment.
  void (*pack48)(std::uint8_t* dst, std::size_t stride, const Word* src, std::size_t n,
                 const LimbTables&);
  // dst0[r] = sum over t of a0[t] * b[r * terms + t], dst1[r] = sum of a1[t] * b[r * terms + t] for
  // r < rows, b packed, one stride for all. No dst is among the inputs.
  void (*packed_products)(Word* const* dst0, Word* const* dst1, std::size_t rows,
                          const Word* const* a0, const Word* const* a1, std::size_t terms,
                          const std::uint8_t* const* b, std::size_t stride, std::size_t n,
                          const LimbTables&);

  // dst0 = sum over t of a[2 t] * b[t], dst1 = sum of a[2 t + 1] * b[t]; where `accumulate`, added
  // to what dst0 and dst1 hold. Operands a are packed, kPackedRun * kPackedBytes bytes from each
  // other. dst0 and dst1 are not among the inputs.
  void (*packed_pair_products)(Word* dst0, Word* dst1, const std::uint8_t* a, std::size_t stride,
                               const Word* const* b, std::size_t terms, bool accumulate,
                               std::size_t n, const LimbTables&);

  // packed_products with scalars b[r * terms + t]: a matrix times two vectors of limbs.
  void (*scalar_products)(Word* const* dst0, Word* const* dst1, std::size_t rows,
                          const Word* const* a0, const Word* const* a1, std::size_t terms,
                          const Constant* b, std::size_t n, const LimbTables&);

  // Base extension (RNS conversion), coefficient form, in three steps:
  // dst = the digit of src * c.
  void (*make_digit)(Word* dst, const Word* src, const Constant& c, std::size_t n,
                     const LimbTables&);
  // dst[i] = round(sum over j of digits[j][i] * inverse[j]), in doubles, in the order of j: how
  // often the product of the digits' primes must be subtracted. inverse[j] = 1 / q_j.
  void (*digit_overflow)(Word* dst, const Word* const* digits, const double* inverse,
                         std::size_t count, std::size_t n);
  // dst = sum over j of digits[j] * weights[j] - overflow * product, a limb of `tables`.
  // With overflow == nullptr the last term is left out. count <= 63.
  void (*extend)(Word* dst, const Word* const* digits, const Constant* weights, std::size_t count,
                 const Word* overflow, const Constant& product, std::size_t n,
                 const LimbTables& tables);

  // Integers of one byte, |src[i]| < 128 -> limb. src needs no alignment.
  void (*import_small)(Word* dst, const std::int8_t* src, std::size_t n, const LimbTables&);
  // dst += a * b; dst -= a * b.
  void (*add_product)(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables&);
  void (*sub_product)(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables&);
  // dst = digits[0] + digits[1] * moduli[0] + digits[2] * moduli[0] * moduli[1] + ..., in doubles
  // by fused multiply-add from the last digit on. count >= 1.
  void (*combine_digits)(double* dst, const Word* const* digits, const double* moduli,
                         std::size_t count, std::size_t n);

  // What follows works on doubles and integers: the same bits in every tier.

  // N coefficients -> N slot values, in place (embedding_tables.h): M = N / 2 real parts, then M
  // imaginary parts; word k < M of each holds the values at zeta^(1 + 4j), j = 2 reverse_bits(k,
  // log_n - 1), in the real and j + 1 in the imaginary part. And back, with the factor 2N.
  void (*fft_forward)(double* x, const EmbeddingTables&);
  void (*fft_inverse)(double* x, const EmbeddingTables&);
  // dst[i] = x[i] * factor rounded to the nearest integer, ties to even. Returns the largest
  // magnitude; from 2^62 on, what stands in dst is of no use. No entry is a NaN.
  double (*round_to_signed)(std::int64_t* dst, const double* x, double factor, std::size_t n);
  // dst[i] = the number of table entries below random[i] / 2 (rounded down), negated where
  // random[i] is odd. Entries below 2^63; count < 128; n a multiple of 32.
  void (*invert_cumulative)(std::int8_t* dst, const std::uint64_t* random, std::size_t n,
                            const std::uint64_t* table, std::size_t count);
};

// The tiers compiled in and executable on this machine, best first; `scalar` is always the last.
std::span<const Kernels* const> available_kernels();

// The tier in use: the best available, or the one that the environment variable FFCONV_SIMD names
// (scalar, avx2, avx512, avx512ifma). Chosen once. Throws kUnsupported where the named tier does
// not exist or this machine lacks it.
const Kernels& active_kernels();

// As active_kernels, by name.
const Kernels& kernels_by_name(std::string_view name);

// The canonical value of table entry 2^s + i (kernels/twiddles.cc): w^((1 + 4 reverse_bits(i, s)) N
// / 2^(s+1)), entry 0 unused. The inverse table holds the inverses.
void canonical_twiddles(const LimbTables& tables, std::vector<std::uint64_t>& forward,
                        std::vector<std::uint64_t>& inverse);

}  // namespace ffconv
