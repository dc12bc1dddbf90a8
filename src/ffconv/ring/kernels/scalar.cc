// The scalar tier: the specification of every kernel, on canonical residues, one line of
// mathematics a loop. Other tiers are compared with it bit for bit. Like them it takes no branch on
// a residue and divides none.
#include <cmath>

#include "ffconv/ring/kernels/kernels.h"
#include "ffconv/ring/kernels/scalar_fft.h"
#include "ffconv/ring/kernels/tiers.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

Constant make_constant(std::uint64_t value, std::uint64_t /*q*/) {
  return {value, 0};
}

void prepare(LimbTables& t) {
  const std::size_t n = std::size_t{1} << t.log_n;
  std::vector<std::uint64_t> forward, inverse;
  canonical_twiddles(t, forward, inverse);
  t.forward = AlignedBuffer<Constant>(n);
  t.inverse = AlignedBuffer<Constant>(n);
  for (std::size_t i = 0; i < n; ++i) {
    t.forward[i] = make_constant(forward[i], t.q);
    t.inverse[i] = make_constant(inverse[i], t.q);
  }
  t.psi = make_constant(pow_mod(t.root, n, t.q), t.q);
  t.unfold = make_constant(inverse_mod(2 * n, t.q), t.q);
  t.unfold_first = make_constant(inverse_mod(n, t.q), t.q);
}

void import_limb(Word* dst, const std::uint64_t* src, std::size_t n, const LimbTables&) {
  for (std::size_t i = 0; i < n; ++i) {
    dst[i] = src[i];
  }
}

void export_limb(std::uint64_t* dst, const Word* src, std::size_t n, const LimbTables&) {
  for (std::size_t i = 0; i < n; ++i) {
    dst[i] = src[i];
  }
}

void import_signed(Word* dst, const std::int64_t* src, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  for (std::size_t i = 0; i < n; ++i) {
    dst[i] = mod.reduce_signed(src[i]);
  }
}

// b_0 = a_0, b_i = a_i - psi a_(N-i): from the basis X^i + X^-i to powers of X modulo X^N - psi.
void fold(Word* x, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  for (std::size_t i = 1; i <= n / 2; ++i) {
    const std::uint64_t a = x[i], b = x[n - i];
    x[i] = mod.sub(a, mod.mul(b, t.psi.value));
    x[n - i] = mod.sub(b, mod.mul(a, t.psi.value));
  }
}

// a_0 = b_0 / N, a_i = (b_i + psi b_(N-i)) / 2N, for b that still carries the factor N.
void unfold(Word* x, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  x[0] = mod.mul(x[0], t.unfold_first.value);
  for (std::size_t i = 1; i <= n / 2; ++i) {
    const std::uint64_t a = x[i], b = x[n - i];
    x[i] = mod.mul(mod.add(a, mod.mul(b, t.psi.value)), t.unfold.value);
    x[n - i] = mod.mul(mod.add(b, mod.mul(a, t.psi.value)), t.unfold.value);
  }
}

// Modulo X^N - psi: stage s splits block i, a residue modulo X^(2 len) - rho^2, into X^len - rho
// and X^len + rho, rho the twiddle of (s, i) (Cooley-Tukey butterflies).
void ntt_forward(Word* x, const LimbTables& t) {
  const Residues mod(t.q);
  const std::size_t n = std::size_t{1} << t.log_n;
  fold(x, n, t);
  for (std::size_t blocks = 1, len = n / 2; blocks < n; blocks *= 2, len /= 2) {
    for (std::size_t i = 0; i < blocks; ++i) {
      const std::uint64_t rho = t.forward[blocks + i].value;
      Word* block = x + 2 * len * i;
      for (std::size_t j = 0; j < len; ++j) {
        const std::uint64_t y = mod.mul(block[len + j], rho);
        block[len + j] = mod.sub(block[j], y);
        block[j] = mod.add(block[j], y);
      }
    }
  }
}

void ntt_inverse(Word* x, const LimbTables& t) {
  const Residues mod(t.q);
  const std::size_t n = std::size_t{1} << t.log_n;
  for (std::size_t blocks = n / 2, len = 1; blocks >= 1; blocks /= 2, len *= 2) {
    for (std::size_t i = 0; i < blocks; ++i) {
      const std::uint64_t rho = t.inverse[blocks + i].value;
      Word* block = x + 2 * len * i;
      for (std::size_t j = 0; j < len; ++j) {
        const std::uint64_t difference = mod.sub(block[j], block[len + j]);
        block[j] = mod.add(block[j], block[len + j]);
        block[len + j] = mod.mul(difference, rho);
      }
    }
  }
  unfold(x, n, t);
}

void add(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  for (std::size_t i = 0; i < n; ++i) {
    dst[i] = mod.add(a[i], b[i]);
  }
}

void sub(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  for (std::size_t i = 0; i < n; ++i) {
    dst[i] = mod.sub(a[i], b[i]);
  }
}

void mul(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  for (std::size_t i = 0; i < n; ++i) {
    dst[i] = mod.mul(a[i], b[i]);
  }
}

void mul_constant(Word* dst, const Word* a, const Constant& c, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  for (std::size_t i = 0; i < n; ++i) {
    dst[i] = mod.mul(a[i], c.value);
  }
}

void mul_constant_sub(Word* dst, const Word* a, const Constant& c, const Word* b, std::size_t n,
                      const LimbTables& t) {
  const Residues mod(t.q);
  for (std::size_t i = 0; i < n; ++i) {
    dst[i] = mod.sub(mod.mul(a[i], c.value), b[i]);
  }
}

// pair(k, j, i) and factor(j, i) are word i of operands j; pair's for sum k.
template <typename P, typename F>
void sum_products(Word* dst0, Word* dst1, const P& pair, const F& factor, std::size_t terms,
                  bool accumulate, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  for (std::size_t i = 0; i < n; ++i) {
    u128 sum0 = accumulate ? dst0[i] : 0;
    u128 sum1 = accumulate ? dst1[i] : 0;
    for (std::size_t j = 0; j < terms; ++j) {
      sum0 += static_cast<u128>(pair(0, j, i)) * factor(j, i);
      sum1 += static_cast<u128>(pair(1, j, i)) * factor(j, i);
    }
    dst0[i] = mod.reduce(sum0);
    dst1[i] = mod.reduce(sum1);
  }
}

auto words_of(const Word* const* a0, const Word* const* a1) {
  return [a0, a1](std::size_t k, std::size_t j, std::size_t i) { return (k == 0 ? a0 : a1)[j][i]; };
}

std::size_t packed_offset(std::size_t i, std::size_t stride) {
  return i / kPackedRun * stride + i % kPackedRun * kPackedBytes;
}

Word unpacked(const std::uint8_t* packed, std::size_t i, std::size_t stride) {
  const std::uint8_t* residue = packed + packed_offset(i, stride);
  Word word = 0;
  for (std::size_t byte = 0; byte < kPackedBytes; ++byte) {
    word |= Word{residue[byte]} << (8 * byte);
  }
  return word;
}

void packed_pair_products(Word* dst0, Word* dst1, const std::uint8_t* a, std::size_t stride,
                          const Word* const* b, std::size_t terms, bool accumulate, std::size_t n,
                          const LimbTables& t) {
  sum_products(
      dst0, dst1,
      [=](std::size_t k, std::size_t j, std::size_t i) {
        return unpacked(a + (2 * j + k) * kRunBytes, i, stride);
      },
      [b](std::size_t j, std::size_t i) { return b[j][i]; }, terms, accumulate, n, t);
}

void packed_products(Word* const* dst0, Word* const* dst1, std::size_t rows, const Word* const* a0,
                     const Word* const* a1, std::size_t terms, const std::uint8_t* const* b,
                     std::size_t stride, std::size_t n, const LimbTables& t) {
  for (std::size_t r = 0; r < rows; ++r) {
    const auto factor = [&](std::size_t j, std::size_t i) {
      return unpacked(b[r * terms + j], i, stride);
    };
    sum_products(dst0[r], dst1[r], words_of(a0, a1), factor, terms, false, n, t);
  }
}

void scalar_products(Word* const* dst0, Word* const* dst1, std::size_t rows, const Word* const* a0,
                     const Word* const* a1, std::size_t terms, const Constant* b, std::size_t n,
                     const LimbTables& t) {
  for (std::size_t r = 0; r < rows; ++r) {
    const auto factor = [&](std::size_t j, std::size_t) { return b[r * terms + j].value; };
    sum_products(dst0[r], dst1[r], words_of(a0, a1), factor, terms, false, n, t);
  }
}

void pack48(std::uint8_t* dst, std::size_t stride, const Word* src, std::size_t n,
            const LimbTables&) {
  for (std::size_t i = 0; i < n; ++i) {
    std::uint8_t* residue = dst + packed_offset(i, stride);
    for (std::size_t byte = 0; byte < kPackedBytes; ++byte) {
      residue[byte] = static_cast<std::uint8_t>(src[i] >> (8 * byte));
    }
  }
}

void tensor(Word* dst0, Word* dst1, Word* dst2, const Word* a0, const Word* a1, const Word* b0,
            const Word* b1, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  for (std::size_t i = 0; i < n; ++i) {
    dst0[i] = mod.mul(a0[i], b0[i]);
    dst1[i] = mod.add(mod.mul(a0[i], b1[i]), mod.mul(a1[i], b0[i]));
    dst2[i] = mod.mul(a1[i], b1[i]);
  }
}

void permute(Word* dst, const Word* src, const std::uint32_t* source, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    dst[i] = src[source[i] & (n - 1)];
  }
}

void sub_add_permute(Word* dst, const Word* a, const Word* b, const Word* c,
                     const std::uint32_t* source, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t from = source[i] & (n - 1);
    const std::uint64_t difference = b == nullptr ? a[from] : mod.sub(a[from], b[from]);
    dst[i] = c == nullptr ? difference : mod.add(difference, c[from]);
  }
}

void make_digit(Word* dst, const Word* src, const Constant& c, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  for (std::size_t i = 0; i < n; ++i) {
    dst[i] = static_cast<Word>(mod.centred(mod.mul(src[i], c.value)));
  }
}

void digit_overflow(Word* dst, const Word* const* digits, const double* inverse, std::size_t count,
                    std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < count; ++j) {
      sum += static_cast<double>(static_cast<std::int64_t>(digits[j][i])) * inverse[j];
    }
    dst[i] = static_cast<Word>(static_cast<std::int64_t>(std::nearbyint(sum)));
  }
}

void extend(Word* dst, const Word* const* digits, const Constant* weights, std::size_t count,
            const Word* overflow, const Constant& product, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  const auto residue = [&mod](Word digit) {
    return mod.reduce_signed(static_cast<std::int64_t>(digit));
  };
  for (std::size_t i = 0; i < n; ++i) {
    std::uint64_t sum = 0;
    for (std::size_t j = 0; j < count; ++j) {
      sum = mod.add(sum, mod.mul(residue(digits[j][i]), weights[j].value));
    }
    if (overflow != nullptr) {
      sum = mod.sub(sum, mod.mul(residue(overflow[i]), product.value));
    }
    dst[i] = sum;
  }
}

void import_small(Word* dst, const std::int8_t* src, std::size_t n, const LimbTables& t) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t x = src[i];
    dst[i] = static_cast<Word>(x + (static_cast<std::int64_t>(t.q) & (x >> 63)));
  }
}

void add_product(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  for (std::size_t i = 0; i < n; ++i) {
    dst[i] = mod.add(dst[i], mod.mul(a[i], b[i]));
  }
}

void sub_product(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables& t) {
  const Residues mod(t.q);
  for (std::size_t i = 0; i < n; ++i) {
    dst[i] = mod.sub(dst[i], mod.mul(a[i], b[i]));
  }
}

void combine_digits(double* dst, const Word* const* digits, const double* moduli, std::size_t count,
                    std::size_t n) {
  const auto as_double = [](Word digit) {
    return static_cast<double>(static_cast<std::int64_t>(digit));
  };
  for (std::size_t i = 0; i < n; ++i) {
    dst[i] = as_double(digits[count - 1][i]);
    for (std::size_t j = count - 1; j-- > 0;) {
      dst[i] = std::fma(dst[i], moduli[j], as_double(digits[j][i]));
    }
  }
}

void invert_cumulative(std::int8_t* dst, const std::uint64_t* random, std::size_t n,
                       const std::uint64_t* table, std::size_t count) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t u = random[i] >> 1, sign = random[i] & 1;
    std::uint64_t magnitude = 0;
    for (std::size_t k = 0; k < count; ++k) {
      magnitude += (table[k] - u) >> 63;  // 1 where u > table[k], both below 2^63
    }
    dst[i] = static_cast<std::int8_t>((magnitude ^ (0 - sign)) + sign);
  }
}

}  // namespace

constinit const Kernels kScalarKernels = {
    .name = "scalar",
    .min_log_n = 1,
    .prepare = prepare,
    .make_constant = make_constant,
    .import_limb = import_limb,
    .export_limb = export_limb,
    .import_signed = import_signed,
    .ntt_forward = ntt_forward,
    .ntt_inverse = ntt_inverse,
    .add = add,
    .sub = sub,
    .mul = mul,
    .mul_constant = mul_constant,
    .mul_constant_sub = mul_constant_sub,
    .permute = permute,
    .sub_add_permute = sub_add_permute,
    .tensor = tensor,
    .pack48 = pack48,
    .packed_products = packed_products,
    .packed_pair_products = packed_pair_products,
    .scalar_products = scalar_products,
    .make_digit = make_digit,
    .digit_overflow = digit_overflow,
    .extend = extend,
    .import_small = import_small,
    .add_product = add_product,
    .sub_product = sub_product,
    .combine_digits = combine_digits,
    .fft_forward = scalar::fft_forward,
    .fft_inverse = scalar::fft_inverse,
    .round_to_signed = scalar::round_to_signed,
    .invert_cumulative = invert_cumulative,
};

}  // namespace ffconv
