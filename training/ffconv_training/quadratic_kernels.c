// Fused loops of the quadratic activation (activation.py holds the mathematics and the plain version that
// these are tested against). Compiled twice by kernels.py, with ELEMENT_IS_BFLOAT16 0 and 1.
//
// Tensors are rows of `channels` contiguous elements (channels-last images), at most kMaxChannels. Sums run in
// float over kBlock rows and in double beyond.

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { kMaxChannels = 4096, kBlock = 64 };

#if ELEMENT_IS_BFLOAT16
typedef uint16_t element;
static inline float load(element x) {
  const uint32_t bits = (uint32_t)x << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
// Rounds to nearest, ties to even.
static inline element store(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return (element)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
#else
typedef float element;
static inline float load(element x) { return x; }
static inline element store(float value) { return value; }
#endif

static inline float clamp(float x, float bound) { return fminf(fmaxf(x, -bound), bound); }

// sums[k][c] += sum over rows of (u - shift)^(k + 1), k = 0..3.
void moments(const element* restrict u, size_t rows, size_t channels, const float* restrict shift,
             double* restrict sums) {
  float block[4][kMaxChannels];
  for (size_t first = 0; first < rows; first += kBlock) {
    const size_t end = first + kBlock < rows ? first + kBlock : rows;
    for (size_t k = 0; k < 4; ++k) memset(block[k], 0, channels * sizeof(float));
    for (size_t row = first; row < end; ++row) {
      const element* restrict x = u + row * channels;
      for (size_t c = 0; c < channels; ++c) {
        const float d = load(x[c]) - shift[c], d2 = d * d;
        block[0][c] += d;
        block[1][c] += d2;
        block[2][c] += d2 * d;
        block[3][c] += d2 * d2;
      }
    }
    for (size_t k = 0; k < 4; ++k) {
      for (size_t c = 0; c < channels; ++c) sums[k * channels + c] += block[k][c];
    }
  }
}

// z = (u - mean) rstd, y = (a z + b) z + c. *excess_squares += the sum of (|z| - bound)+ squared.
void forward(const element* restrict u, element* restrict y, size_t rows, size_t channels,
             const float* restrict mean, const float* restrict rstd, const float* restrict a,
             const float* restrict b, const float* restrict c, float bound,
             double* restrict excess_squares) {
  for (size_t first = 0; first < rows; first += kBlock) {
    const size_t end = first + kBlock < rows ? first + kBlock : rows;
    float squares = 0;
    for (size_t row = first; row < end; ++row) {
      const element* restrict x = u + row * channels;
      element* restrict out = y + row * channels;
      for (size_t i = 0; i < channels; ++i) {
        const float z = (load(x[i]) - mean[i]) * rstd[i];
        const float excess = fmaxf(fabsf(z) - bound, 0);
        squares += excess * excess;
        out[i] = store((a[i] * z + b[i]) * z + c[i]);
      }
    }
    *excess_squares += squares;
  }
}

// The penalty's slope: weight times z's excess over the bound.
static inline float slope(float z, float bound, float weight) {
  return weight * (z - clamp(z, bound));
}

// For the gradient g of y: sums += sums over rows of g, g z, g z^2, p, p z, where p is the penalty's slope.
void backward_sums(const element* restrict u, const element* restrict g, size_t rows, size_t channels,
                   const float* restrict mean, const float* restrict rstd, float bound, float weight,
                   double* restrict sums) {
  float block[5][kMaxChannels];
  for (size_t first = 0; first < rows; first += kBlock) {
    const size_t end = first + kBlock < rows ? first + kBlock : rows;
    for (size_t k = 0; k < 5; ++k) memset(block[k], 0, channels * sizeof(float));
    for (size_t row = first; row < end; ++row) {
      const element* restrict x = u + row * channels;
      const element* restrict dy = g + row * channels;
      for (size_t c = 0; c < channels; ++c) {
        const float z = (load(x[c]) - mean[c]) * rstd[c], gradient = load(dy[c]), p = slope(z, bound, weight);
        block[0][c] += gradient;
        block[1][c] += gradient * z;
        block[2][c] += gradient * z * z;
        block[3][c] += p;
        block[4][c] += p * z;
      }
    }
    for (size_t k = 0; k < 5; ++k) {
      for (size_t c = 0; c < channels; ++c) sums[k * channels + c] += block[k][c];
    }
  }
}

// du = rstd (g (2 a z + b) + p + k0 + k1 z + k3 z^3), with g and p as in backward_sums.
void backward(const element* restrict u, const element* restrict g, element* restrict du, size_t rows,
              size_t channels, const float* restrict mean, const float* restrict rstd, const float* restrict a,
              const float* restrict b, const float* restrict k0, const float* restrict k1,
              const float* restrict k3, float bound, float weight) {
  for (size_t row = 0; row < rows; ++row) {
    const element* restrict x = u + row * channels;
    const element* restrict dy = g + row * channels;
    element* restrict out = du + row * channels;
    for (size_t c = 0; c < channels; ++c) {
      const float z = (load(x[c]) - mean[c]) * rstd[c], gradient = load(dy[c]);
      const float through_statistics = k0[c] + (k1[c] + k3[c] * z * z) * z;
      out[c] = store(rstd[c] * (gradient * (2 * a[c] * z + b[c]) + slope(z, bound, weight) + through_statistics));
    }
  }
}
