#include "ffconv/ring/kernels/scalar_fft.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ffconv::scalar {
namespace {

constexpr double kHalfRoot = std::numbers::sqrt2 / 2;

struct Complex {
  double re, im;
};

Complex add(Complex a, Complex b) {
  return {a.re + b.re, a.im + b.im};
}

Complex sub(Complex a, Complex b) {
  return {a.re - b.re, a.im - b.im};
}

Complex mul(Complex w, Complex y) {
  return {std::fma(w.re, y.re, -(w.im * y.im)), std::fma(w.re, y.im, w.im * y.re)};
}

// conj(w) y
Complex mul_conjugate(Complex w, Complex y) {
  return {std::fma(w.re, y.re, w.im * y.im), std::fma(w.re, y.im, -(w.im * y.re))};
}

Complex entry(const ComplexTable& table, std::size_t i) {
  return {table.re[i], table.im[i]};
}

// A pair's words before the transform: a_i, a_(N-i), a_(M-i), a_(M+i). After the fold the same
// places hold Z_i and Z_(M-i). The pair i = M/2 is one point, written twice: the later words stay.
void fold(double* x, std::size_t m, const EmbeddingTables& t) {
  const double first = x[0], middle = std::numbers::sqrt2 * x[m];
  x[0] = first + middle;
  x[m] = first - middle;
  for (std::size_t i = 1; i <= m / 2; ++i) {
    const Complex b = {x[i], -x[2 * m - i]};
    const Complex h = {x[m - i], x[m + i]};
    const Complex g = {(h.re + h.im) * kHalfRoot, (h.im - h.re) * kHalfRoot};
    const Complex s = mul(entry(t.sum, i), add(b, g));
    const Complex d = mul(entry(t.difference, i), sub(b, g));
    x[i] = s.re + d.re;
    x[m + i] = s.im + d.im;
    x[m - i] = s.re - d.re;
    x[2 * m - i] = d.im - s.im;
  }
}

// Leaves the factor 4.
void unfold(double* x, std::size_t m, const EmbeddingTables& t) {
  const double re = x[0], im = x[m];
  x[0] = 2.0 * (re + im);
  x[m] = std::numbers::sqrt2 * (re - im);
  for (std::size_t i = 1; i <= m / 2; ++i) {
    const Complex z = {x[i], x[m + i]};
    const Complex mirror = {x[m - i], -x[2 * m - i]};
    const Complex s = mul_conjugate(entry(t.sum, i), add(z, mirror));
    const Complex d = mul_conjugate(entry(t.difference, i), sub(z, mirror));
    const Complex b = add(s, d), g = sub(s, d);
    x[i] = b.re;
    x[m + i] = (g.re + g.im) * kHalfRoot;
    x[m - i] = (g.re - g.im) * kHalfRoot;
    x[2 * m - i] = -b.im;
  }
}

}  // namespace

void fft_forward(double* x, const EmbeddingTables& t) {
  const std::size_t m = std::size_t{1} << (t.log_n - 1);
  fold(x, m, t);
  for (std::size_t blocks = 1, len = m / 2; blocks < m; blocks *= 2, len /= 2) {
    for (std::size_t i = 0; i < blocks; ++i) {
      const Complex w = entry(t.roots, i);
      double* re = x + 2 * len * i;
      double* im = re + m;
      for (std::size_t j = 0; j < len; ++j) {
        const Complex a = {re[j], im[j]}, y = {re[len + j], im[len + j]};
        // x + w y, and x - w y as 2x less that.
        re[j] = std::fma(w.re, y.re, std::fma(-w.im, y.im, a.re));
        im[j] = std::fma(w.re, y.im, std::fma(w.im, y.re, a.im));
        re[len + j] = std::fma(2.0, a.re, -re[j]);
        im[len + j] = std::fma(2.0, a.im, -im[j]);
      }
    }
  }
}

void fft_inverse(double* x, const EmbeddingTables& t) {
  const std::size_t m = std::size_t{1} << (t.log_n - 1);
  for (std::size_t blocks = m / 2, len = 1; blocks >= 1; blocks /= 2, len *= 2) {
    for (std::size_t i = 0; i < blocks; ++i) {
      const Complex w = entry(t.roots, i);
      double* re = x + 2 * len * i;
      double* im = re + m;
      for (std::size_t j = 0; j < len; ++j) {
        const Complex a = {re[j], im[j]}, y = {re[len + j], im[len + j]};
        const Complex product = mul_conjugate(w, sub(a, y));
        re[j] = a.re + y.re;
        im[j] = a.im + y.im;
        re[len + j] = product.re;
        im[len + j] = product.im;
      }
    }
  }
  unfold(x, m, t);
}

double round_to_signed(std::int64_t* dst, const double* x, double factor, std::size_t n) {
  double largest = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double rounded = std::nearbyint(x[i] * factor);
    largest = std::max(largest, std::abs(rounded));
    dst[i] = std::llrint(rounded);
  }
  return largest;
}

}  // namespace ffconv::scalar
