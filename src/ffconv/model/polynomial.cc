#include "ffconv/model/polynomial.h"

#include <algorithm>
#include <cmath>

namespace ffconv::model {
namespace {

void drop_zero_terms(Polynomial& p) {
  while (p.terms.size() > 1 && max_abs(p.terms.back()) == 0) {
    p.terms.pop_back();
  }
}

}  // namespace

Coefficients combine(const Coefficients& a, const Coefficients& b,
                     const std::function<double(double, double)>& f) {
  Coefficients result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = f(a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]);
  }
  return result;
}

double max_abs(const Coefficients& a) {
  double largest = 0;
  for (const double x : a) {
    largest = std::max(largest, std::abs(x));
  }
  return largest;
}

Coefficients expand(const Coefficients& a, std::size_t size) {
  return a.size() == 1 ? Coefficients(size, a[0]) : a;
}

std::optional<std::vector<double>> per_channel(const Coefficients& a, const Shape& shape) {
  if (a.size() == 1) {
    return expand(a, shape.channels());
  }
  const std::size_t plane = shape.size() / shape.channels();
  std::vector<double> result(shape.channels());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (i % plane == 0) {
      result[i / plane] = a[i];
    } else if (a[i] != result[i / plane]) {
      return std::nullopt;
    }
  }
  return result;
}

Polynomial constant(Coefficients value) {
  return {{std::move(value)}};
}

Polynomial identity() {
  return {{{0.0}, {1.0}}};
}

Polynomial operator+(const Polynomial& p, const Polynomial& q) {
  Polynomial sum = p.degree() >= q.degree() ? p : q;
  const Polynomial& other = p.degree() >= q.degree() ? q : p;
  for (std::size_t k = 0; k <= other.degree(); ++k) {
    sum.terms[k] = combine(sum.terms[k], other.terms[k], std::plus<>());
  }
  drop_zero_terms(sum);
  return sum;
}

Polynomial operator*(const Polynomial& p, const Polynomial& q) {
  Polynomial product;
  product.terms.assign(p.degree() + q.degree() + 1, {0.0});
  for (std::size_t i = 0; i <= p.degree(); ++i) {
    for (std::size_t j = 0; j <= q.degree(); ++j) {
      const Coefficients term = combine(p.terms[i], q.terms[j], std::multiplies<>());
      product.terms[i + j] = combine(product.terms[i + j], term, std::plus<>());
    }
  }
  drop_zero_terms(product);
  return product;
}

}  // namespace ffconv::model
