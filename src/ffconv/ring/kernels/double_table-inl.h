// The kernel table of a double-precision tier over the vectors V; included after double_ntt-inl.h,
// fft-inl.h and sampling-inl.h.

template <class V>
constexpr Kernels double_kernels(std::string_view name) {
  return {
      .name = name,
      .min_log_n = 2 * std::countr_zero(V::kWidth),
      .prepare = Ntt<V>::prepare,
      .make_constant = make_double_constant,
      .import_limb = Body<V>::import_limb,
      .export_limb = Body<V>::export_limb,
      .import_signed = Body<V>::import_signed,
      .ntt_forward = Ntt<V>::ntt_forward,
      .ntt_inverse = Ntt<V>::ntt_inverse,
      .add = Body<V>::add,
      .sub = Body<V>::sub,
      .mul = Body<V>::mul_limbs,
      .mul_constant = Body<V>::mul_constant,
      .mul_constant_sub = Body<V>::mul_constant_sub,
      .inner_product_pair = Body<V>::inner_product_pair,
      .permute = Body<V>::permute,
      .sub_add_permute = Body<V>::sub_add_permute,
      .tensor = Body<V>::tensor,
      .pack48 = Body<V>::pack48,
      .packed_products = Body<V>::packed_products,
      .make_digit = Body<V>::make_digit,
      .digit_overflow = Body<V>::digit_overflow,
      .extend = Body<V>::extend,
      .import_small = Body<V>::import_small,
      .add_product = Body<V>::add_product,
      .sub_product = Body<V>::sub_product,
      .combine_digits = Body<V>::combine_digits,
      .fft_forward = Fft<V>::fft_forward,
      .fft_inverse = Fft<V>::fft_inverse,
      .round_to_signed = Fft<V>::round_to_signed,
      .invert_cumulative = Sampling<V>::invert_cumulative,
  };
}
