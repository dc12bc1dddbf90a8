// Element-wise polynomials with constant coefficients: what normalization knows of a value.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "ffconv/model/shape.h"

namespace ffconv::model {

// One number an element of a tensor, or a single one that holds for all.
using Coefficients = std::vector<double>;

// f(a_i, b_i) for every element; one number if both are.
Coefficients combine(const Coefficients& a, const Coefficients& b,
                     const std::function<double(double, double)>& f);

// The largest absolute value.
double max_abs(const Coefficients& a);

// a for each element of a tensor of `size` elements.
Coefficients expand(const Coefficients& a, std::size_t size);

// One number a channel, if the coefficients are constant within the channels of `shape`.
std::optional<std::vector<double>> per_channel(const Coefficients& a, const Shape& shape);

// terms[0] + terms[1] x + terms[2] x^2 + ..., each element with its own coefficients.
struct Polynomial {
  std::vector<Coefficients>
      terms;  // at least one; the last is not zero everywhere, if not the first

  std::size_t degree() const { return terms.size() - 1; }
};

Polynomial constant(Coefficients value);
Polynomial identity();  // x
Polynomial operator+(const Polynomial& p, const Polynomial& q);
Polynomial operator*(const Polynomial& p, const Polynomial& q);

}  // namespace ffconv::model
