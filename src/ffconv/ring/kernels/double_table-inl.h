// The kernel table of a double-precision tier over the vectors V; included after double_ntt-inl.h.

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
      .negate = Body<V>::negate,
      .mul = Body<V>::mul_limbs,
      .mul_constant = Body<V>::mul_constant,
      .mul_constant_add = Body<V>::mul_constant_add,
      .mul_constant_sub = Body<V>::mul_constant_sub,
      .sub_mul_constant = Body<V>::sub_mul_constant,
      .inner_product_pair = Body<V>::inner_product_pair,
      .permute = Body<V>::permute,
      .sub_add_permute = Body<V>::sub_add_permute,
      .tensor = Body<V>::tensor,
      .pack48 = Body<V>::pack48,
      .inner_product_pair_packed = Body<V>::inner_product_pair_packed,
      .make_digit = Body<V>::make_digit,
      .digit_overflow = Body<V>::digit_overflow,
      .extend = Body<V>::extend,
  };
}
