// The kernel table of the 52-bit integer tier over the vectors V, its doubles over the vectors D;
// included after ifma_ntt-inl.h, fft-inl.h and sampling-inl.h.

template <class V, class D>
constexpr Kernels ifma_kernels(std::string_view name) {
  return {
      .name = name,
      .min_log_n = IfmaNtt<V>::kMinLogN,
      .prepare = prepare_ifma_tables,
      .make_constant = make_ifma_constant,
      .import_limb = IfmaBody<V>::import_limb,
      .export_limb = IfmaBody<V>::export_limb,
      .import_signed = IfmaBody<V>::import_signed,
      .ntt_forward = IfmaNtt<V>::ntt_forward,
      .ntt_inverse = IfmaNtt<V>::ntt_inverse,
      .add = IfmaBody<V>::add,
      .sub = IfmaBody<V>::sub,
      .mul = IfmaBody<V>::mul_limbs,
      .mul_constant = IfmaBody<V>::mul_constant,
      .mul_constant_sub = IfmaBody<V>::mul_constant_sub,
      .permute = IfmaBody<V>::permute,
      .sub_add_permute = IfmaBody<V>::sub_add_permute,
      .tensor = IfmaBody<V>::tensor,
      .pack48 = IfmaBody<V>::pack48,
      .packed_products = IfmaBody<V>::packed_products,
      .packed_pair_products = IfmaBody<V>::packed_pair_products,
      .scalar_products = IfmaBody<V>::scalar_products,
      .make_digit = IfmaBody<V>::make_digit,
      .digit_overflow = IfmaBody<V>::digit_overflow,
      .extend = IfmaBody<V>::extend,
      .import_small = IfmaBody<V>::import_small,
      .add_product = IfmaBody<V>::add_product_limbs,
      .sub_product = IfmaBody<V>::sub_product_limbs,
      .combine_digits = IfmaBody<V>::combine_digits,
      .fft_forward = Fft<D>::fft_forward,
      .fft_inverse = Fft<D>::fft_inverse,
      .round_to_signed = Fft<D>::round_to_signed,
      .invert_cumulative = Sampling<D>::invert_cumulative,
  };
}
