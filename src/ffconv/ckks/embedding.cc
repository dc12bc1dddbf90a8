#include "ffconv/ckks/embedding.h"

#include <cmath>
#include <numbers>

#include "ffconv/ring/modulus.h"

namespace ffconv {

Embedding::Embedding(int log_n)
    : n_(std::size_t{1} << log_n), real_(n_), imaginary_(n_), word_of_slot_(n_) {
  real_[0] = 1.0;
  imaginary_[0] = 0.0;
  for (int s = 0; s < log_n; ++s) {
    for (std::size_t i = 0; i < std::size_t{1} << s; ++i) {
      const std::size_t exponent = (1 + 4 * reverse_bits(i, s)) * (n_ >> (s + 1)) % (4 * n_);
      const long double angle = 2.0L * std::numbers::pi_v<long double> *
                                static_cast<long double>(exponent) /
                                static_cast<long double>(4 * n_);
      real_[(std::size_t{1} << s) + i] = static_cast<double>(std::cos(angle));
      imaginary_[(std::size_t{1} << s) + i] = static_cast<double>(std::sin(angle));
    }
  }
  std::uint64_t exponent = 1;
  for (std::size_t j = 0; j < n_; ++j) {
    word_of_slot_[j] = static_cast<std::uint32_t>(reverse_bits((exponent - 1) / 4, log_n));
    exponent = exponent * 5 % (4 * n_);
  }
}

void Embedding::transform(Complex& x) const {
  for (std::size_t blocks = 1, len = n_ / 2; blocks < n_; blocks *= 2, len /= 2) {
    for (std::size_t i = 0; i < blocks; ++i) {
      const double c = real_[blocks + i], s = imaginary_[blocks + i];
      double* re = x.real.data() + 2 * len * i;
      double* im = x.imaginary.data() + 2 * len * i;
      for (std::size_t j = 0; j < len; ++j) {
        const double y_re = re[len + j] * c - im[len + j] * s;
        const double y_im = re[len + j] * s + im[len + j] * c;
        re[len + j] = re[j] - y_re;
        im[len + j] = im[j] - y_im;
        re[j] += y_re;
        im[j] += y_im;
      }
    }
  }
}

// Leaves the factor n.
void Embedding::inverse_transform(Complex& x) const {
  for (std::size_t blocks = n_ / 2, len = 1; blocks >= 1; blocks /= 2, len *= 2) {
    for (std::size_t i = 0; i < blocks; ++i) {
      const double c = real_[blocks + i], s = -imaginary_[blocks + i];
      double* re = x.real.data() + 2 * len * i;
      double* im = x.imaginary.data() + 2 * len * i;
      for (std::size_t j = 0; j < len; ++j) {
        const double d_re = re[j] - re[len + j];
        const double d_im = im[j] - im[len + j];
        re[j] += re[len + j];
        im[j] += im[len + j];
        re[len + j] = d_re * c - d_im * s;
        im[len + j] = d_re * s + d_im * c;
      }
    }
  }
}

void Embedding::coefficients_to_slots(std::span<double> values) const {
  Complex x{std::vector<double>(values.begin(), values.end()), std::vector<double>(n_, 0.0)};
  for (std::size_t i = 1; i < n_; ++i) {
    x.imaginary[i] = -values[n_ - i];
  }
  transform(x);
  for (std::size_t j = 0; j < n_; ++j) {
    values[j] = x.real[word_of_slot_[j]];
  }
}

void Embedding::slots_to_coefficients(std::span<double> values) const {
  Complex x{std::vector<double>(n_), std::vector<double>(n_, 0.0)};
  for (std::size_t j = 0; j < n_; ++j) {
    x.real[word_of_slot_[j]] = values[j];
  }
  inverse_transform(x);
  const double factor = 1.0 / static_cast<double>(n_);
  for (std::size_t i = 0; i < n_; ++i) {
    values[i] = x.real[i] * factor;
  }
}

}  // namespace ffconv
