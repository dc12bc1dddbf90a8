// Eight doubles by AVX-512 F, DQ and VL; included inside the avx512 tier's region.

struct Avx512 {
  using Reg = __m512d;
  static constexpr std::size_t kWidth = 8;

  static Reg load(const Word* p) { return _mm512_load_pd(p); }
  static Reg load_unaligned(const Word* p) { return _mm512_loadu_pd(p); }
  static void store(Word* p, Reg x) { _mm512_store_pd(p, x); }
  static void store_unaligned(Word* p, Reg x) { _mm512_storeu_pd(p, x); }
  static Reg load(const double* p) { return _mm512_load_pd(p); }
  static Reg load_unaligned(const double* p) { return _mm512_loadu_pd(p); }
  static void store(double* p, Reg x) { _mm512_store_pd(p, x); }
  static void store_unaligned(double* p, Reg x) { _mm512_storeu_pd(p, x); }
  static Reg set1(double x) { return _mm512_set1_pd(x); }
  static double first(Reg x) { return _mm512_cvtsd_f64(x); }

  static Reg add(Reg a, Reg b) { return _mm512_add_pd(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm512_sub_pd(a, b); }
  static Reg mul(Reg a, Reg b) { return _mm512_mul_pd(a, b); }
  static Reg negate(Reg a) { return _mm512_xor_pd(a, _mm512_set1_pd(-0.0)); }
  static Reg multiply_add(Reg a, Reg b, Reg c) { return _mm512_fmadd_pd(a, b, c); }
  static Reg multiply_sub(Reg a, Reg b, Reg c) { return _mm512_fmsub_pd(a, b, c); }
  static Reg negative_multiply_add(Reg a, Reg b, Reg c) { return _mm512_fnmadd_pd(a, b, c); }
  static Reg negative_multiply_sub(Reg a, Reg b, Reg c) { return _mm512_fnmsub_pd(a, b, c); }
  static Reg max(Reg a, Reg b) { return _mm512_max_pd(a, b); }
  static Reg nearest(Reg a) {
    return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  // The integer nearest to a b, |a b| <= 2^51: added to 1.5 * 2^52, whose unit is 1. Rounding to
  // integers is two operations on Intel.
  static Reg nearest_product(Reg a, Reg b) {
    return sub(multiply_add(a, b, set1(0x1.8p52)), set1(0x1.8p52));
  }
  static __mmask8 greater(Reg a, Reg b) { return _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ); }
  static Reg and_mask(Reg a, __mmask8 mask) { return _mm512_maskz_mov_pd(mask, a); }

  static Reg reverse(Reg x) {
    return _mm512_permutexvar_pd(_mm512_setr_epi64(7, 6, 5, 4, 3, 2, 1, 0), x);
  }

  // Lane i takes lane source[i] mod 8 (the instruction ignores higher bits).
  static Reg permute(Reg x, const std::uint32_t* source) {
    const __m256i lanes = _mm256_load_si256(reinterpret_cast<const __m256i*>(source));
    return _mm512_permutexvar_pd(_mm512_cvtepu32_epi64(lanes), x);
  }

  // Pairs of words first, then a 4 x 4 transposition of 128-bit lanes.
  static void transpose(Reg (&v)[8]) {
    for (std::size_t i = 0; i < 8; i += 2) {
      const Reg even = _mm512_unpacklo_pd(v[i], v[i + 1]);
      v[i + 1] = _mm512_unpackhi_pd(v[i], v[i + 1]);
      v[i] = even;
    }
    for (std::size_t i = 0; i < 2; ++i) {
      const Reg a = _mm512_shuffle_f64x2(v[i], v[i + 2], 0x44);
      const Reg b = _mm512_shuffle_f64x2(v[i], v[i + 2], 0xee);
      const Reg c = _mm512_shuffle_f64x2(v[i + 4], v[i + 6], 0x44);
      const Reg d = _mm512_shuffle_f64x2(v[i + 4], v[i + 6], 0xee);
      v[i] = _mm512_shuffle_f64x2(a, c, 0x88);
      v[i + 2] = _mm512_shuffle_f64x2(a, c, 0xdd);
      v[i + 4] = _mm512_shuffle_f64x2(b, d, 0x88);
      v[i + 6] = _mm512_shuffle_f64x2(b, d, 0xdd);
    }
  }

  // 2^52 as a double has an empty mantissa: an integer below 2^52 stands in its low bits as it is.
  static Reg from_u52(__m512i x) {
    const Reg unit = _mm512_set1_pd(0x1p52);
    return _mm512_sub_pd(_mm512_castsi512_pd(_mm512_or_si512(x, _mm512_castpd_si512(unit))), unit);
  }
  static Reg from_u52(const std::uint64_t* p) { return from_u52(_mm512_loadu_si512(p)); }
  // Four integers of 6 bytes: two in each half, the upper half read from byte 8.
  static __m256i spread_packed48(const std::uint8_t* p) {
    const __m256i bytes = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))),
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8)), 1);
    const __m256i spread = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, -1, -1, 6, 7, 8, 9, 10, 11, -1, -1, 4,
                                            5, 6, 7, 8, 9, -1, -1, 10, 11, 12, 13, 14, 15, -1, -1);
    return _mm256_shuffle_epi8(bytes, spread);
  }
  static Reg from_packed48(const std::uint8_t* p) {
    return from_u52(
        _mm512_inserti64x4(_mm512_castsi256_si512(spread_packed48(p)), spread_packed48(p + 24), 1));
  }
  static void to_u52(std::uint64_t* p, Reg x) {
    const __m512i bits = _mm512_castpd_si512(_mm512_add_pd(x, _mm512_set1_pd(0x1p52)));
    _mm512_storeu_si512(p, _mm512_and_si512(bits, _mm512_set1_epi64((std::int64_t{1} << 52) - 1)));
  }

  // x = high * 2^32 + low, 0 <= low < 2^32.
  static void split_signed(const std::int64_t* p, Reg& high, Reg& low) {
    const __m512i x = _mm512_loadu_si512(p);
    high = _mm512_cvtepi64_pd(_mm512_srai_epi64(x, 32));
    low = _mm512_cvtepi64_pd(_mm512_and_si512(x, _mm512_set1_epi64(0xffffffff)));
  }

  static Reg from_int8(const std::int8_t* p) {
    return _mm512_cvtepi32_pd(
        _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }

  // An integer x as a double, |x| < 2^62.
  static void store_signed(std::int64_t* p, Reg x) {
    _mm512_storeu_si512(p, _mm512_cvtpd_epi64(x));
  }

  // Vectors of 64-bit integers, compared as signed ones.
  using Int = __m512i;
  static Int load_int(const std::uint64_t* p) { return _mm512_loadu_si512(p); }
  static void store_int(std::uint64_t* p, Int x) { _mm512_storeu_si512(p, x); }
  static Int set1_int(std::uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
  static Int halve(Int x) { return _mm512_srli_epi64(x, 1); }
  // sum + (a > b)
  static Int count_greater(Int sum, Int a, Int b) {
    return _mm512_mask_add_epi64(sum, _mm512_cmpgt_epi64_mask(a, b), sum, _mm512_set1_epi64(1));
  }
};
