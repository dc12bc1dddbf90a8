#include "ffconv/ckks/embedding.h"

#include <algorithm>

#include "ffconv/base/assert.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {

Embedding::Embedding(int log_n, const Kernels& kernels)
    : kernels_(&kernels), tables_(log_n), word_of_slot_(std::size_t{1} << log_n) {
  const std::size_t n = std::size_t{1} << log_n;
  std::uint64_t exponent = 1;
  for (std::size_t slot = 0; slot < n; ++slot) {
    const std::uint64_t point = (exponent - 1) / 4;
    const std::uint64_t word = point % 2 * (n / 2) + reverse_bits(point / 2, log_n - 1);
    word_of_slot_[slot] = static_cast<std::uint32_t>(word);
    exponent = exponent * 5 % (4 * n);
  }
}

void Embedding::to_slots(std::span<double> slots, double* words, double factor) const {
  FFCONV_ASSERT(slots.size() == n());
  kernels_->fft_forward(words, tables_);
  for (std::size_t slot = 0; slot < n(); ++slot) {
    slots[slot] = words[word_of_slot_[slot]] * factor;
  }
}

void Embedding::to_coefficients(double* words, std::span<const double> slots) const {
  const std::size_t mask = slots.size() - 1;
  // Slot after slot: word after word, the reads would fall on few lines of the cache.
  for (std::size_t slot = 0; slot < n(); ++slot) {
    words[word_of_slot_[slot]] = slots[slot & mask];
  }
  kernels_->fft_inverse(words, tables_);
}

void Embedding::coefficients_to_slots(std::span<double> values) const {
  AlignedBuffer<double> words(n());
  std::ranges::copy(values, words.begin());
  to_slots(values, words.data(), 1.0);
}

void Embedding::slots_to_coefficients(std::span<double> values) const {
  AlignedBuffer<double> words(n());
  to_coefficients(words.data(), values);
  const double factor = 1.0 / static_cast<double>(2 * n());
  std::ranges::transform(words, values.begin(), [factor](double x) { return x * factor; });
}

}  // namespace ffconv
