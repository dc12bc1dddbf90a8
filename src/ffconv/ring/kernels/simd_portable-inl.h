// Vectors of `Width` doubles in plain C++: the emulation that proves the bodies on every machine.

template <std::size_t Width>
struct Portable {
  static constexpr std::size_t kWidth = Width;
  struct Reg {
    std::array<double, Width> lane;
  };

  template <typename F>
  static Reg each(const F& f) {
    Reg r;
    for (std::size_t i = 0; i < Width; ++i) {
      r.lane[i] = f(i);
    }
    return r;
  }

  static Reg load(const Word* p) {
    return each([p](std::size_t i) { return to_double(p[i]); });
  }
  static Reg load_unaligned(const Word* p) { return load(p); }
  static void store(Word* p, const Reg& x) {
    for (std::size_t i = 0; i < Width; ++i) {
      p[i] = to_word(x.lane[i]);
    }
  }
  static void store_unaligned(Word* p, const Reg& x) { store(p, x); }
  static Reg load(const double* p) {
    return each([p](std::size_t i) { return p[i]; });
  }
  static Reg load_unaligned(const double* p) { return load(p); }
  static void store(double* p, const Reg& x) { std::copy_n(x.lane.begin(), Width, p); }
  static void store_unaligned(double* p, const Reg& x) { store(p, x); }
  static Reg set1(double x) {
    return each([x](std::size_t) { return x; });
  }
  static double first(const Reg& x) { return x.lane[0]; }

  static Reg add(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return a.lane[i] + b.lane[i]; });
  }
  static Reg sub(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return a.lane[i] - b.lane[i]; });
  }
  static Reg mul(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return a.lane[i] * b.lane[i]; });
  }
  static Reg negate(const Reg& a) {
    return each([&](std::size_t i) { return -a.lane[i]; });
  }
  static Reg multiply_add(const Reg& a, const Reg& b, const Reg& c) {
    return each([&](std::size_t i) { return std::fma(a.lane[i], b.lane[i], c.lane[i]); });
  }
  static Reg multiply_sub(const Reg& a, const Reg& b, const Reg& c) {
    return each([&](std::size_t i) { return std::fma(a.lane[i], b.lane[i], -c.lane[i]); });
  }
  static Reg negative_multiply_add(const Reg& a, const Reg& b, const Reg& c) {
    return each([&](std::size_t i) { return std::fma(-a.lane[i], b.lane[i], c.lane[i]); });
  }
  static Reg negative_multiply_sub(const Reg& a, const Reg& b, const Reg& c) {
    return each([&](std::size_t i) { return std::fma(-a.lane[i], b.lane[i], -c.lane[i]); });
  }
  static Reg max(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static Reg nearest(const Reg& a) {
    return each([&](std::size_t i) { return std::nearbyint(a.lane[i]); });
  }
  // As the wrapper of the same width does it.
  static Reg nearest_product(const Reg& a, const Reg& b) {
    if constexpr (Width == 4) {
      return nearest(mul(a, b));
    }
    return sub(multiply_add(a, b, set1(0x1.8p52)), set1(0x1.8p52));
  }
  // 1 where a > b, else 0; and_mask multiplies by it.
  static Reg greater(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return a.lane[i] > b.lane[i] ? 1.0 : 0.0; });
  }
  static Reg and_mask(const Reg& a, const Reg& mask) { return mul(a, mask); }

  static Reg reverse(const Reg& x) {
    return each([&](std::size_t i) { return x.lane[Width - 1 - i]; });
  }
  static Reg permute(const Reg& x, const std::uint32_t* source) {
    return each([&](std::size_t i) { return x.lane[source[i] % Width]; });
  }
  static void transpose(Reg (&v)[Width]) {
    for (std::size_t i = 0; i < Width; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        std::swap(v[i].lane[j], v[j].lane[i]);
      }
    }
  }

  static Reg from_u52(const std::uint64_t* p) {
    return each([p](std::size_t i) { return static_cast<double>(p[i]); });
  }
  static Reg from_packed48(const std::uint8_t* p) {
    return each([p](std::size_t i) {
      std::uint64_t word = 0;
      std::memcpy(&word, p + 6 * i, 6);
      return static_cast<double>(word);
    });
  }
  static void to_u52(std::uint64_t* p, const Reg& x) {
    for (std::size_t i = 0; i < Width; ++i) {
      p[i] = static_cast<std::uint64_t>(x.lane[i]);
    }
  }
  // x = high * 2^32 + low, 0 <= low < 2^32.
  static void split_signed(const std::int64_t* p, Reg& high, Reg& low) {
    high = each([p](std::size_t i) { return static_cast<double>(p[i] >> 32); });
    low = each([p](std::size_t i) { return static_cast<double>(p[i] & 0xffffffff); });
  }

  static Reg from_int8(const std::int8_t* p) {
    return each([p](std::size_t i) { return static_cast<double>(p[i]); });
  }
  static void store_signed(std::int64_t* p, const Reg& x) {
    for (std::size_t i = 0; i < Width; ++i) {
      p[i] = std::llrint(x.lane[i]);
    }
  }

  // Vectors of 64-bit integers, compared as signed ones.
  struct Int {
    std::array<std::uint64_t, Width> lane;
  };
  static Int load_int(const std::uint64_t* p) {
    Int x;
    std::copy_n(p, Width, x.lane.begin());
    return x;
  }
  static void store_int(std::uint64_t* p, const Int& x) { std::copy_n(x.lane.begin(), Width, p); }
  static Int set1_int(std::uint64_t value) {
    Int x;
    x.lane.fill(value);
    return x;
  }
  static Int halve(Int x) {
    for (std::uint64_t& lane : x.lane) {
      lane >>= 1;
    }
    return x;
  }
  static Int count_greater(Int sum, const Int& a, const Int& b) {
    for (std::size_t i = 0; i < Width; ++i) {
      sum.lane[i] +=
          static_cast<std::int64_t>(a.lane[i]) > static_cast<std::int64_t>(b.lane[i]) ? 1u : 0u;
    }
    return sum;
  }
};
