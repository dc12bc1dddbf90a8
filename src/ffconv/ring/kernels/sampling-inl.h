// Sampling over vectors V; included under the rules of double-inl.h, whose words it does not need.

template <class V>
struct Sampling {
  static constexpr std::size_t kWidth = V::kWidth;
  static constexpr std::size_t kVectors = 4;
  static constexpr std::size_t kStep = kVectors * kWidth;

  static void invert_cumulative(std::int8_t* dst, const std::uint64_t* random, std::size_t n,
                                const std::uint64_t* table, std::size_t count) {
    for (std::size_t i = 0; i < n; i += kStep) {
      typename V::Int u[kVectors], reached[kVectors];
      for (std::size_t v = 0; v < kVectors; ++v) {
        u[v] = V::halve(V::load_int(random + i + v * kWidth));
        reached[v] = V::set1_int(0);
      }
      for (std::size_t k = 0; k < count; ++k) {
        const auto bound = V::set1_int(table[k]);
        for (std::size_t v = 0; v < kVectors; ++v) {
          reached[v] = V::count_greater(reached[v], u[v], bound);
        }
      }
      std::uint64_t magnitudes[kStep];
      for (std::size_t v = 0; v < kVectors; ++v) {
        V::store_int(magnitudes + v * kWidth, reached[v]);
      }
      for (std::size_t k = 0; k < kStep; ++k) {
        const std::uint64_t sign = random[i + k] & 1;
        dst[i + k] = static_cast<std::int8_t>((magnitudes[k] ^ (0 - sign)) + sign);
      }
    }
  }
};
