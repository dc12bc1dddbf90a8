// Unit roots for the transforms of the embedding (Kernels::fft_forward, fft_inverse): the same in
// every tier.
//
// The N real values v_k = f(zeta^(1 + 4k)), zeta = exp(2 pi i / 4N), come from one complex
// transform of M = N/2 points, since z_k = v_2k + i v_(2k+1), k < M, are the values at exp(2 pi i k
// / M) of a polynomial Z whose coefficients follow from those of f, in pairs (real transforms by
// complex ones of half the size: Sorensen, Jones, Heideman and Burrus, 1987). With f = sum a_i (X^i
// + X^-i), b_i = a_i - i a_(N-i), h = conj(b_(M-i)) and g = exp(-i pi / 4) h:
//
//   S = zeta^i (b_i + g), D = i zeta^5i (b_i - g), Z_i = S + D, Z_(M-i) = conj(S - D).
//
// The transform is the ring's tree over the complex numbers: stage s splits block i, Z modulo
// Y^(2 len) - rho^2, into Y^len - rho and Y^len + rho, with rho = exp(pi i r(i)), r(i) the bits of
// i in reverse order behind the binary point, whatever s. So there is one table, and rho of an odd
// block is i times that of the even one before it, exactly.
#pragma once

#include <cstddef>

#include "ffconv/base/aligned_buffer.h"

namespace ffconv {

struct ComplexTable {
  AlignedBuffer<double> re, im;
};

struct EmbeddingTables {
  // N = 2^log_n, log_n >= 1.
  explicit EmbeddingTables(int log_n);

  int log_n;
  ComplexTable roots;  // rho of block i < M / 2 (at least one entry)
  // roots[i * stride + offset] for (stride, offset) = (2, 0), (4, 0), (4, 2): the lanes of the last
  // stages of a vector tier.
  ComplexTable lanes[3];
  ComplexTable sum, difference;  // zeta^i and i zeta^5i, i <= M / 2
};

}  // namespace ffconv
