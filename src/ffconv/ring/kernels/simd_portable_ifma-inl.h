// Vectors of eight 64-bit integers in plain C++, with the 52-bit multiply-add: the emulation that
// proves the bodies of the avx512ifma tier on every machine.

struct PortableIfma {
  static constexpr std::size_t kWidth = 8;
  struct Reg {
    std::array<std::uint64_t, kWidth> lane;
  };
  struct Real {
    std::array<double, kWidth> lane;
  };

  template <typename Vector = Reg, typename F>
  static Vector each(const F& f) {
    Vector r;
    for (std::size_t i = 0; i < kWidth; ++i) {
      r.lane[i] = f(i);
    }
    return r;
  }

  static Reg load(const Word* p) {
    return each([p](std::size_t i) { return p[i]; });
  }
  static Reg load_unaligned(const Word* p) { return load(p); }
  static void store(Word* p, const Reg& x) { std::copy(x.lane.begin(), x.lane.end(), p); }
  static void store_unaligned(Word* p, const Reg& x) { store(p, x); }
  static Reg set1(std::uint64_t x) {
    return each([x](std::size_t) { return x; });
  }
  static Reg zero() { return set1(0); }

  static Reg add(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return a.lane[i] + b.lane[i]; });
  }
  static Reg sub(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return a.lane[i] - b.lane[i]; });
  }
  static Reg min(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return std::min(a.lane[i], b.lane[i]); });
  }
  static Reg bit_and(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return a.lane[i] & b.lane[i]; });
  }
  static Reg shift_left(const Reg& a, int bits) {
    return each([&](std::size_t i) { return a.lane[i] << bits; });
  }
  static Reg shift_right(const Reg& a, int bits) {
    return each([&](std::size_t i) { return a.lane[i] >> bits; });
  }

  static constexpr std::uint64_t kLow52 = (std::uint64_t{1} << 52) - 1;
  static u128 product52(std::uint64_t a, std::uint64_t b) {
    return static_cast<u128>(a & kLow52) * (b & kLow52);
  }
  static Reg add_low(const Reg& sum, const Reg& a, const Reg& b) {
    return each([&](std::size_t i) {
      return sum.lane[i] + (static_cast<std::uint64_t>(product52(a.lane[i], b.lane[i])) & kLow52);
    });
  }
  static Reg add_high(const Reg& sum, const Reg& a, const Reg& b) {
    return each([&](std::size_t i) {
      return sum.lane[i] + static_cast<std::uint64_t>(product52(a.lane[i], b.lane[i]) >> 52);
    });
  }

  static Reg reverse(const Reg& x) {
    return each([&](std::size_t i) { return x.lane[kWidth - 1 - i]; });
  }
  static Reg append_first(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return i + 1 < kWidth ? a.lane[i + 1] : b.lane[0]; });
  }
  static Reg permute(const Reg& x, const std::uint32_t* source) {
    return each([&](std::size_t i) { return x.lane[source[i] % kWidth]; });
  }
  // All of the transposition in the last step.
  template <int kStep>
  static void transpose_step(Reg (&v)[kWidth]) {
    for (std::size_t i = 0; kStep == 2 && i < kWidth; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        std::swap(v[i].lane[j], v[j].lane[i]);
      }
    }
  }

  static Reg from_packed48(const std::uint8_t* p) {
    return each([p](std::size_t i) {
      std::uint64_t word = 0;
      std::memcpy(&word, p + 6 * i, 6);
      return word;
    });
  }

  static void to_packed48(std::uint8_t* p, const Reg& x) {
    for (std::size_t i = 0; i < kWidth; ++i) {
      std::memcpy(p + 6 * i, &x.lane[i], 6);
    }
  }

  static Real to_real(const Reg& x) {
    return each<Real>(
        [&](std::size_t i) { return static_cast<double>(static_cast<std::int64_t>(x.lane[i])); });
  }
  static Reg nearest(const Real& x) {
    return each([&](std::size_t i) {
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(std::nearbyint(x.lane[i])));
    });
  }
  static Real zero_real() {
    return each<Real>([](std::size_t) { return 0.0; });
  }
  static Real add_real(const Real& a, const Real& b) {
    return each<Real>([&](std::size_t i) { return a.lane[i] + b.lane[i]; });
  }
  static Real scale(const Real& a, double factor) {
    return each<Real>([&](std::size_t i) { return a.lane[i] * factor; });
  }
  static Real multiply_add_real(const Real& a, double factor, const Real& c) {
    return each<Real>([&](std::size_t i) { return std::fma(a.lane[i], factor, c.lane[i]); });
  }
  static void store_real(double* p, const Real& x) { std::copy(x.lane.begin(), x.lane.end(), p); }

  static Reg from_int8(const std::int8_t* p) {
    return each(
        [p](std::size_t i) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(p[i])); });
  }
};
