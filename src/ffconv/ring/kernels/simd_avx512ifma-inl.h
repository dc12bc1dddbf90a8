// Eight 64-bit integers by AVX-512 F, BW, DQ and IFMA; included inside the avx512ifma tier's
// region.

struct Avx512Ifma {
  using Reg = __m512i;
  using Real = __m512d;
  static constexpr std::size_t kWidth = 8;

  static Reg load(const Word* p) { return _mm512_load_si512(p); }
  static Reg load_unaligned(const Word* p) { return _mm512_loadu_si512(p); }
  static void store(Word* p, Reg x) { _mm512_store_si512(p, x); }
  static void store_unaligned(Word* p, Reg x) { _mm512_storeu_si512(p, x); }
  static Reg set1(std::uint64_t x) { return _mm512_set1_epi64(static_cast<std::int64_t>(x)); }
  static Reg zero() { return _mm512_setzero_si512(); }

  static Reg add(Reg a, Reg b) { return _mm512_add_epi64(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm512_sub_epi64(a, b); }
  static Reg min(Reg a, Reg b) { return _mm512_min_epu64(a, b); }
  static Reg bit_and(Reg a, Reg b) { return _mm512_and_si512(a, b); }
  static Reg shift_left(Reg a, int bits) { return _mm512_sll_epi64(a, _mm_cvtsi32_si128(bits)); }
  static Reg shift_right(Reg a, int bits) { return _mm512_srl_epi64(a, _mm_cvtsi32_si128(bits)); }

  // sum + the low, the high 52 bits of the product of the low 52 bits of a and of b.
  static Reg add_low(Reg sum, Reg a, Reg b) { return _mm512_madd52lo_epu64(sum, a, b); }
  static Reg add_high(Reg sum, Reg a, Reg b) { return _mm512_madd52hi_epu64(sum, a, b); }

  static Reg reverse(Reg x) {
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(7, 6, 5, 4, 3, 2, 1, 0), x);
  }

  // a without its first lane, then the first lane of b.
  static Reg append_first(Reg a, Reg b) { return _mm512_alignr_epi64(b, a, 1); }

  // Lane i takes lane source[i] mod 8 (the instruction ignores higher bits).
  static Reg permute(Reg x, const std::uint32_t* source) {
    const __m256i lanes = _mm256_load_si256(reinterpret_cast<const __m256i*>(source));
    return _mm512_permutexvar_epi64(_mm512_cvtepu32_epi64(lanes), x);
  }

  // A transposition in three steps: pairs of words, then twice pairs of 128-bit lanes.
  template <int kStep>
  static void transpose_step(Reg (&v)[8]) {
    constexpr std::size_t kApart[] = {1, 2, 4};
    for (std::size_t k = 0; k < 4; ++k) {
      // The pairs (i, i + apart) of the step.
      constexpr std::size_t apart = kApart[kStep];
      const std::size_t i = k / apart * 2 * apart + k % apart;
      const Reg a = v[i], b = v[i + apart];
      if constexpr (kStep == 0) {
        v[i] = _mm512_unpacklo_epi64(a, b);
        v[i + 1] = _mm512_unpackhi_epi64(a, b);
      } else {
        v[i] = _mm512_shuffle_i64x2(a, b, 0x88);
        v[i + apart] = _mm512_shuffle_i64x2(a, b, 0xdd);
      }
    }
  }

  // Eight integers of 6 bytes: three 16-bit quarters of each word; reads 48 bytes.
  static Reg from_packed48(const std::uint8_t* p) {
    const Reg bytes = _mm512_maskz_loadu_epi64(0x3f, p);
    const Reg quarters = _mm512_set_epi16(0, 23, 22, 21, 0, 20, 19, 18, 0, 17, 16, 15, 0, 14, 13,
                                          12, 0, 11, 10, 9, 0, 8, 7, 6, 0, 5, 4, 3, 0, 2, 1, 0);
    return _mm512_maskz_permutexvar_epi16(0x77777777, quarters, bytes);
  }
  static void to_packed48(std::uint8_t* p, Reg x) {
    const Reg quarters = _mm512_set_epi16(0, 0, 0, 0, 0, 0, 0, 0, 30, 29, 28, 26, 25, 24, 22, 21,
                                          20, 18, 17, 16, 14, 13, 12, 10, 9, 8, 6, 5, 4, 2, 1, 0);
    _mm512_mask_storeu_epi64(p, 0x3f, _mm512_permutexvar_epi16(quarters, x));
  }

  // Signed integers of magnitude at most 2^53 as doubles, exactly; and back, to the nearest, ties
  // to even.
  static Real to_real(Reg x) { return _mm512_cvtepi64_pd(x); }
  static Reg nearest(Real x) { return _mm512_cvtpd_epi64(x); }
  static Real zero_real() { return _mm512_setzero_pd(); }
  static Real add_real(Real a, Real b) { return _mm512_add_pd(a, b); }
  static Real scale(Real a, double factor) { return _mm512_mul_pd(a, _mm512_set1_pd(factor)); }
  static Real multiply_add_real(Real a, double factor, Real c) {
    return _mm512_fmadd_pd(a, _mm512_set1_pd(factor), c);
  }
  static void store_real(double* p, Real x) { _mm512_store_pd(p, x); }

  static Reg from_int8(const std::int8_t* p) {
    return _mm512_cvtepi8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
};
