// Four doubles by AVX2 and FMA; included inside the avx2 tier's region.

struct Avx2 {
  using Reg = __m256d;
  static constexpr std::size_t kWidth = 4;

  static const double* doubles(const Word* p) { return reinterpret_cast<const double*>(p); }
  static double* doubles(Word* p) { return reinterpret_cast<double*>(p); }

  static Reg load(const Word* p) { return _mm256_load_pd(doubles(p)); }
  static Reg load_unaligned(const Word* p) { return _mm256_loadu_pd(doubles(p)); }
  static void store(Word* p, Reg x) { _mm256_store_pd(doubles(p), x); }
  static void store_unaligned(Word* p, Reg x) { _mm256_storeu_pd(doubles(p), x); }
  static Reg load(const double* p) { return _mm256_load_pd(p); }
  static Reg load_unaligned(const double* p) { return _mm256_loadu_pd(p); }
  static void store(double* p, Reg x) { _mm256_store_pd(p, x); }
  static void store_unaligned(double* p, Reg x) { _mm256_storeu_pd(p, x); }
  static Reg set1(double x) { return _mm256_set1_pd(x); }
  static double first(Reg x) { return _mm256_cvtsd_f64(x); }

  static Reg add(Reg a, Reg b) { return _mm256_add_pd(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm256_sub_pd(a, b); }
  static Reg mul(Reg a, Reg b) { return _mm256_mul_pd(a, b); }
  static Reg negate(Reg a) { return _mm256_xor_pd(a, _mm256_set1_pd(-0.0)); }
  static Reg multiply_add(Reg a, Reg b, Reg c) { return _mm256_fmadd_pd(a, b, c); }
  static Reg multiply_sub(Reg a, Reg b, Reg c) { return _mm256_fmsub_pd(a, b, c); }
  static Reg negative_multiply_add(Reg a, Reg b, Reg c) { return _mm256_fnmadd_pd(a, b, c); }
  static Reg negative_multiply_sub(Reg a, Reg b, Reg c) { return _mm256_fnmsub_pd(a, b, c); }
  static Reg max(Reg a, Reg b) { return _mm256_max_pd(a, b); }
  static Reg nearest(Reg a) {
    return _mm256_round_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  // The integer nearest to a b, up to the rounding of the product, |a b| <= 2^51. One operation on
  // AMD Zen, where adding a constant would cost a copy of it.
  static Reg nearest_product(Reg a, Reg b) { return nearest(mul(a, b)); }
  static Reg greater(Reg a, Reg b) { return _mm256_cmp_pd(a, b, _CMP_GT_OQ); }
  static Reg and_mask(Reg a, Reg mask) { return _mm256_and_pd(a, mask); }

  static Reg reverse(Reg x) { return _mm256_permute4x64_pd(x, 0b00011011); }

  // Lane i takes lane source[i] mod 4.
  static Reg permute(Reg x, const std::uint32_t* source) {
    const __m256i lanes = _mm256_and_si256(
        _mm256_cvtepu32_epi64(_mm_load_si128(reinterpret_cast<const __m128i*>(source))),
        _mm256_set1_epi64x(3));
    const __m256i low = _mm256_slli_epi64(lanes, 1);
    const __m256i high = _mm256_slli_epi64(_mm256_add_epi64(low, _mm256_set1_epi64x(1)), 32);
    return _mm256_castsi256_pd(
        _mm256_permutevar8x32_epi32(_mm256_castpd_si256(x), _mm256_or_si256(low, high)));
  }

  static void transpose(Reg (&v)[4]) {
    const Reg a = _mm256_unpacklo_pd(v[0], v[1]);
    const Reg b = _mm256_unpackhi_pd(v[0], v[1]);
    const Reg c = _mm256_unpacklo_pd(v[2], v[3]);
    const Reg d = _mm256_unpackhi_pd(v[2], v[3]);
    v[0] = _mm256_permute2f128_pd(a, c, 0x20);
    v[1] = _mm256_permute2f128_pd(b, d, 0x20);
    v[2] = _mm256_permute2f128_pd(a, c, 0x31);
    v[3] = _mm256_permute2f128_pd(b, d, 0x31);
  }

  // 2^52 as a double has an empty mantissa: an integer below 2^52 stands in its low bits as it is.
  static Reg from_u52(__m256i x) {
    const Reg unit = _mm256_set1_pd(0x1p52);
    return _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(x, _mm256_castpd_si256(unit))), unit);
  }
  static Reg from_u52(const std::uint64_t* p) {
    return from_u52(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  // Four integers of 6 bytes: two in each half, the upper half read from byte 8.
  static Reg from_packed48(const std::uint8_t* p) {
    const __m256i bytes = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))),
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8)), 1);
    const __m256i spread = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, -1, -1, 6, 7, 8, 9, 10, 11, -1, -1, 4,
                                            5, 6, 7, 8, 9, -1, -1, 10, 11, 12, 13, 14, 15, -1, -1);
    return from_u52(_mm256_shuffle_epi8(bytes, spread));
  }
  static void to_u52(std::uint64_t* p, Reg x) {
    const __m256i bits = _mm256_castpd_si256(_mm256_add_pd(x, _mm256_set1_pd(0x1p52)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm256_and_si256(bits, _mm256_set1_epi64x((std::int64_t{1} << 52) - 1)));
  }

  // x = high * 2^32 + low, 0 <= low < 2^32, each in the low bits of 2^52: the high one with its
  // sign bit flipped, that is 2^31 added.
  static void split_signed(const std::int64_t* p, Reg& high, Reg& low) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const Reg unit = _mm256_set1_pd(0x1p52), biased_unit = _mm256_set1_pd(0x1p52 + 0x1p31);
    high = _mm256_sub_pd(_mm256_xor_pd(_mm256_castsi256_pd(_mm256_srli_epi64(x, 32)), biased_unit),
                         biased_unit);
    low = _mm256_sub_pd(
        _mm256_castsi256_pd(_mm256_blend_epi32(x, _mm256_castpd_si256(unit), 0b10101010)), unit);
  }

  static Reg from_int8(const std::int8_t* p) {
    std::int32_t bytes;
    std::memcpy(&bytes, p, 4);
    return _mm256_cvtepi32_pd(_mm_cvtepi8_epi32(_mm_cvtsi32_si128(bytes)));
  }

  // An integer x as a double, |x| < 2^62: x = high * 2^32 + low, each found in the low bits of its
  // sum with 1.5 * 2^52, whose own low 32 bits are zero.
  static void store_signed(std::int64_t* p, Reg x) {
    const Reg round = _mm256_set1_pd(0x1.8p52);
    const Reg high = nearest(_mm256_mul_pd(x, _mm256_set1_pd(0x1p-32)));
    const Reg low = _mm256_fnmadd_pd(high, _mm256_set1_pd(0x1p32), x);
    const __m256i low_bits = _mm256_sub_epi64(_mm256_castpd_si256(_mm256_add_pd(low, round)),
                                              _mm256_castpd_si256(round));
    const __m256i high_bits =
        _mm256_slli_epi64(_mm256_castpd_si256(_mm256_add_pd(high, round)), 32);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_add_epi64(high_bits, low_bits));
  }

  // Vectors of 64-bit integers, compared as signed ones.
  using Int = __m256i;
  static Int load_int(const std::uint64_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static void store_int(std::uint64_t* p, Int x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x);
  }
  static Int set1_int(std::uint64_t x) { return _mm256_set1_epi64x(static_cast<long long>(x)); }
  static Int halve(Int x) { return _mm256_srli_epi64(x, 1); }
  // sum + (a > b)
  static Int count_greater(Int sum, Int a, Int b) {
    return _mm256_sub_epi64(sum, _mm256_cmpgt_epi64(a, b));
  }
};
