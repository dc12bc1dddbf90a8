// The embedding's transforms over vectors V of doubles (embedding_tables.h); included under the
// rules of double-inl.h, whose words it does not need. Operation for operation the scalar
// specification, so that results are equal bit for bit.
//
// An array x of N doubles: real parts in x[0, M), imaginary parts in x[M, N). Passes of two stages
// (radix 4) over memory, down to blocks that stay in the first-level cache; the last log2(width)
// stages in registers, on blocks of width^2 points, between two transpositions.

template <class V>
struct Fft {
  using R = typename V::Reg;
  static constexpr std::size_t kWidth = V::kWidth;
  static constexpr int kLogWidth = std::countr_zero(kWidth);
  static constexpr std::size_t kBlock = kWidth * kWidth;
  // Smaller transforms, of less than one block, are left to the specification.
  static constexpr int kMinLogN = 2 * kLogWidth + 1;
  static constexpr double kRoot = 1.4142135623730951;
  // Points of a block whose passes are all done before the next block: 16 KiB.
  static constexpr std::size_t kCached = 1024;

  struct Complex {
    R re, im;
  };

  static Complex load(const double* re, const double* im) { return {V::load(re), V::load(im)}; }
  static void store(double* re, double* im, const Complex& x) {
    V::store(re, x.re);
    V::store(im, x.im);
  }
  static Complex vector_entry(const ComplexTable& table, std::size_t i) {
    return {V::load_unaligned(table.re.data() + i), V::load_unaligned(table.im.data() + i)};
  }
  static Complex entry(const ComplexTable& table, std::size_t i) {
    return {V::set1(table.re[i]), V::set1(table.im[i])};
  }

  static Complex add(const Complex& a, const Complex& b) {
    return {V::add(a.re, b.re), V::add(a.im, b.im)};
  }
  static Complex sub(const Complex& a, const Complex& b) {
    return {V::sub(a.re, b.re), V::sub(a.im, b.im)};
  }
  static Complex mul(const Complex& w, const Complex& y) {
    return {V::multiply_sub(w.re, y.re, V::mul(w.im, y.im)),
            V::multiply_add(w.re, y.im, V::mul(w.im, y.re))};
  }
  static Complex mul_conjugate(const Complex& w, const Complex& y) {
    return {V::multiply_add(w.re, y.re, V::mul(w.im, y.im)),
            V::multiply_sub(w.re, y.im, V::mul(w.im, y.re))};
  }

  // x + w y and x - w y.
  static void butterfly(Complex& x, Complex& y, const Complex& w) {
    const Complex sum = {V::multiply_add(w.re, y.re, V::negative_multiply_add(w.im, y.im, x.re)),
                         V::multiply_add(w.re, y.im, V::multiply_add(w.im, y.re, x.im))};
    finish(x, y, sum);
  }
  // The same with i w in the place of w.
  static void rotated_butterfly(Complex& x, Complex& y, const Complex& w) {
    const Complex sum = {
        V::negative_multiply_add(w.im, y.re, V::negative_multiply_add(w.re, y.im, x.re)),
        V::negative_multiply_add(w.im, y.im, V::multiply_add(w.re, y.re, x.im))};
    finish(x, y, sum);
  }
  static void finish(Complex& x, Complex& y, const Complex& sum) {
    const R two = V::set1(2.0);
    y = {V::multiply_sub(two, x.re, sum.re), V::multiply_sub(two, x.im, sum.im)};
    x = sum;
  }

  // x + y and conj(w) (x - y).
  static void inverse_butterfly(Complex& x, Complex& y, const Complex& w) {
    const Complex difference = sub(x, y);
    x = add(x, y);
    y = mul_conjugate(w, difference);
  }
  // conj(i w) d = conj(w) (-i d).
  static void inverse_rotated_butterfly(Complex& x, Complex& y, const Complex& w) {
    const Complex difference = sub(x, y);
    x = add(x, y);
    y = {V::negative_multiply_add(w.im, difference.re, V::mul(w.re, difference.im)),
         V::negative_multiply_sub(w.im, difference.im, V::mul(w.re, difference.re))};
  }

  // What a pass does to its points; w1 belongs to a and b, i w1 to c and d.
  struct Forward {
    static void two(Complex& a, Complex& b, const Complex& w) { butterfly(a, b, w); }
    static void two_rotated(Complex& a, Complex& b, const Complex& w) {
      rotated_butterfly(a, b, w);
    }
    static void four(Complex& a, Complex& b, Complex& c, Complex& d, const Complex& w0,
                     const Complex& w1) {
      butterfly(a, c, w0);
      butterfly(b, d, w0);
      butterfly(a, b, w1);
      rotated_butterfly(c, d, w1);
    }
    // The first of the last stages, and what follows stage s.
    static constexpr int kFirstStage = 0, kStep = 1;
  };
  struct Inverse {
    static void two(Complex& a, Complex& b, const Complex& w) { inverse_butterfly(a, b, w); }
    static void two_rotated(Complex& a, Complex& b, const Complex& w) {
      inverse_rotated_butterfly(a, b, w);
    }
    static void four(Complex& a, Complex& b, Complex& c, Complex& d, const Complex& w0,
                     const Complex& w1) {
      inverse_butterfly(a, b, w1);
      inverse_rotated_butterfly(c, d, w1);
      inverse_butterfly(a, c, w0);
      inverse_butterfly(b, d, w0);
    }
    static constexpr int kFirstStage = kLogWidth - 1, kStep = -1;
  };

  // Applies f(i, a, b, c, d) to the words i, N - i, M - i, M + i of all pairs, i = 1 .. M/2; i is
  // the index of the tables' entries. Vectors as long as they are disjoint, then single words.
  template <typename F>
  static void for_pairs(double* x, std::size_t m, const EmbeddingTables& t, const F& f) {
    std::size_t i = 1;
    for (; i + kWidth <= m / 2; i += kWidth) {
      double* const places[] = {x + i, x + m + i};
      double* const mirrors[] = {x + 2 * m - i - kWidth + 1, x + m - i - kWidth + 1};
      R a = V::load_unaligned(places[0]), b = V::reverse(V::load_unaligned(mirrors[0]));
      R c = V::reverse(V::load_unaligned(mirrors[1])), d = V::load_unaligned(places[1]);
      f(vector_entry(t.sum, i), vector_entry(t.difference, i), a, b, c, d);
      V::store_unaligned(places[0], a);
      V::store_unaligned(places[1], d);
      V::store_unaligned(mirrors[1], V::reverse(c));
      V::store_unaligned(mirrors[0], V::reverse(b));
    }
    for (; i <= m / 2; ++i) {
      R a = V::set1(x[i]), b = V::set1(x[2 * m - i]), c = V::set1(x[m - i]), d = V::set1(x[m + i]);
      f(entry(t.sum, i), entry(t.difference, i), a, b, c, d);
      x[i] = V::first(a);
      x[m + i] = V::first(d);
      x[m - i] = V::first(c);
      x[2 * m - i] = V::first(b);
    }
  }

  static void fold(double* x, std::size_t m, const EmbeddingTables& t) {
    const double first = x[0], middle = kRoot * x[m];
    x[0] = first + middle;
    x[m] = first - middle;
    const R half_root = V::set1(kRoot / 2);
    for_pairs(x, m, t, [&](const Complex& sum, const Complex& difference, R& a, R& b, R& c, R& d) {
      const Complex power = {a, V::negate(b)};
      const Complex g = {V::mul(V::add(c, d), half_root), V::mul(V::sub(d, c), half_root)};
      const Complex s = mul(sum, add(power, g));
      const Complex q = mul(difference, sub(power, g));
      a = V::add(s.re, q.re);
      d = V::add(s.im, q.im);
      c = V::sub(s.re, q.re);
      b = V::sub(q.im, s.im);
    });
  }

  static void unfold(double* x, std::size_t m, const EmbeddingTables& t) {
    const double re = x[0], im = x[m];
    x[0] = 2.0 * (re + im);
    x[m] = kRoot * (re - im);
    const R half_root = V::set1(kRoot / 2);
    for_pairs(x, m, t, [&](const Complex& sum, const Complex& difference, R& a, R& b, R& c, R& d) {
      const Complex z = {a, d}, mirror = {c, V::negate(b)};
      const Complex s = mul_conjugate(sum, add(z, mirror));
      const Complex q = mul_conjugate(difference, sub(z, mirror));
      const Complex power = add(s, q), g = sub(s, q);
      a = power.re;
      b = V::negate(power.im);
      c = V::mul(V::sub(g.re, g.im), half_root);
      d = V::mul(V::add(g.re, g.im), half_root);
    });
  }

  // Stage s on the blocks [begin, end) of the 2^s.
  template <class Direction>
  static void radix2(double* x, std::size_t m, int s, std::size_t begin, std::size_t end,
                     const EmbeddingTables& t) {
    const std::size_t len = m >> (s + 1);
    for (std::size_t i = begin; i < end; ++i) {
      const Complex w = entry(t.roots, i);
      double* re = x + 2 * len * i;
      for (std::size_t j = 0; j < len; j += kWidth, re += kWidth) {
        Complex a = load(re, re + m), b = load(re + len, re + len + m);
        Direction::two(a, b, w);
        store(re, re + m, a);
        store(re + len, re + len + m, b);
      }
    }
  }

  // Stages s and s + 1, in the direction's order.
  template <class Direction>
  static void radix4(double* x, std::size_t m, int s, std::size_t begin, std::size_t end,
                     const EmbeddingTables& t) {
    const std::size_t len = m >> (s + 2);
    for (std::size_t i = begin; i < end; ++i) {
      const Complex w0 = entry(t.roots, i), w1 = entry(t.roots, 2 * i);
      double* re = x + 4 * len * i;
      double* im = re + m;
      for (std::size_t j = 0; j < len; j += kWidth, re += kWidth, im += kWidth) {
        Complex a = load(re, im), b = load(re + len, im + len);
        Complex c = load(re + 2 * len, im + 2 * len), d = load(re + 3 * len, im + 3 * len);
        Direction::four(a, b, c, d, w0, w1);
        store(re, im, a);
        store(re + len, im + len, b);
        store(re + 2 * len, im + 2 * len, c);
        store(re + 3 * len, im + 3 * len, d);
      }
    }
  }

  // The factors of stage `stage` within the rows of a block, for the even group g: lane r is rho of
  // block (row + r) 2^stage + g.
  static Complex lane_factor(const EmbeddingTables& t, int stage, std::size_t g, std::size_t row) {
    if (stage == 0) {
      return vector_entry(t.roots, row);
    }
    return vector_entry(t.lanes[(std::size_t{1} << (stage - 1)) - 1 + g / 2], row);
  }

  template <class Direction>
  static void in_registers(double* x, std::size_t m, std::size_t begin, std::size_t end,
                           const EmbeddingTables& t) {
    for (std::size_t block = begin; block < end; ++block) {
      double* re = x + block * kBlock;
      R v_re[kWidth], v_im[kWidth];
      load_rows(v_re, re);
      load_rows(v_im, re + m);
      for (int k = 0; k < kLogWidth; ++k) {
        const int stage = Direction::kFirstStage + k * Direction::kStep;
        const std::size_t len = kWidth >> (stage + 1);
        for (std::size_t g = 0; g < std::size_t{1} << stage; ++g) {
          const Complex w = lane_factor(t, stage, g & ~std::size_t{1}, block * kWidth);
          for (std::size_t c = 2 * len * g; c < 2 * len * g + len; ++c) {
            Complex a = {v_re[c], v_im[c]}, b = {v_re[c + len], v_im[c + len]};
            if (g % 2 == 0) {
              Direction::two(a, b, w);
            } else {
              Direction::two_rotated(a, b, w);
            }
            v_re[c] = a.re, v_im[c] = a.im;
            v_re[c + len] = b.re, v_im[c + len] = b.im;
          }
        }
      }
      store_rows(re, v_re);
      store_rows(re + m, v_im);
    }
  }

  // A block as its columns, and back.
  static void load_rows(R (&v)[kWidth], const double* x) {
    for (std::size_t c = 0; c < kWidth; ++c) {
      v[c] = V::load(x + c * kWidth);
    }
    V::transpose(v);
  }
  static void store_rows(double* x, R (&v)[kWidth]) {
    V::transpose(v);
    for (std::size_t c = 0; c < kWidth; ++c) {
      V::store(x + c * kWidth, v[c]);
    }
  }

  // Transforms that do not fit the cache run in 2^log_groups parts, once the stages before are done
  // over the whole array. A single radix-2 pass, where the number of stages is odd, comes first.
  static int log_groups(int stages, std::size_t m) {
    int result = 0;
    while (m >> result > kCached) {
      result += result == 0 && stages % 2 != 0 ? 1 : 2;
    }
    return result;
  }

  static void fft_forward(double* x, const EmbeddingTables& t) {
    if (t.log_n < kMinLogN) {
      scalar::fft_forward(x, t);
      return;
    }
    const std::size_t m = std::size_t{1} << (t.log_n - 1);
    const int stages = t.log_n - 1 - kLogWidth, log = log_groups(stages, m);
    const std::size_t groups = std::size_t{1} << log, blocks = m / groups / kBlock;
    fold(x, m, t);
    int s = 0;
    if (stages % 2 != 0) {
      radix2<Forward>(x, m, 0, 0, 1, t);
      s = 1;
    }
    for (; s < log; s += 2) {
      radix4<Forward>(x, m, s, 0, std::size_t{1} << s, t);
    }
    for (std::size_t i = 0; i < groups; ++i) {
      for (int inner = s; inner < stages; inner += 2) {
        radix4<Forward>(x, m, inner, i << (inner - log), (i + 1) << (inner - log), t);
      }
      in_registers<Forward>(x, m, i * blocks, (i + 1) * blocks, t);
    }
  }

  static void fft_inverse(double* x, const EmbeddingTables& t) {
    if (t.log_n < kMinLogN) {
      scalar::fft_inverse(x, t);
      return;
    }
    const std::size_t m = std::size_t{1} << (t.log_n - 1);
    const int stages = t.log_n - 1 - kLogWidth, log = log_groups(stages, m);
    const std::size_t groups = std::size_t{1} << log, blocks = m / groups / kBlock;
    const int first = std::max(log, stages % 2);
    for (std::size_t i = 0; i < groups; ++i) {
      in_registers<Inverse>(x, m, i * blocks, (i + 1) * blocks, t);
      for (int s = stages - 2; s >= first; s -= 2) {
        radix4<Inverse>(x, m, s, i << (s - log), (i + 1) << (s - log), t);
      }
    }
    for (int s = first - 2; s >= 0; s -= 2) {
      radix4<Inverse>(x, m, s, 0, std::size_t{1} << s, t);
    }
    if (stages % 2 != 0) {
      radix2<Inverse>(x, m, 0, 0, 1, t);
    }
    unfold(x, m, t);
  }

  static double round_to_signed(std::int64_t* dst, const double* x, double factor, std::size_t n) {
    const R scale = V::set1(factor);
    R largest = V::set1(0.0);
    for (std::size_t i = 0; i < n; i += kWidth) {
      const R rounded = V::nearest(V::mul(V::load(x + i), scale));
      largest = V::max(largest, V::max(rounded, V::negate(rounded)));
      V::store_signed(dst + i, rounded);
    }
    alignas(64) double lanes[kWidth];
    V::store(lanes, largest);
    double result = 0.0;
    for (const double lane : lanes) {  // values, not places: a place would be a secret address
      result = lane > result ? lane : result;
    }
    return result;
  }
};
