#include "ffconv/plan/grouping.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

namespace ffconv::plan {
namespace {

std::size_t index(std::int32_t number) {
  return static_cast<std::size_t>(number);
}

// Marks (ciphertext, step) pairs and counts the different ones; steps are below `modulus`.
class PairSet {
 public:
  PairSet(std::int32_t ciphertexts, std::size_t modulus)
      : modulus_(modulus), marked_(index(ciphertexts) * modulus, false) {}
  void insert(std::int32_t ciphertext, std::size_t step) {
    const std::size_t at = index(ciphertext) * modulus_ + step;
    count_ += marked_[at] ? 0 : 1;
    marked_[at] = true;
  }
  int count() const { return count_; }

 private:
  std::size_t modulus_;
  std::vector<bool> marked_;
  int count_ = 0;
};

// The offset that moves the residues of `rotations` modulo `high` to an interval that starts at 0:
// their largest gap on the circle ends where they begin.
std::size_t gap_offset(const std::vector<std::int32_t>& rotations, std::size_t high) {
  std::vector<std::size_t> residues;
  for (const std::int32_t r : rotations) {
    residues.push_back(index(r) % high);
  }
  std::sort(residues.begin(), residues.end());
  std::size_t previous = residues.back();
  std::size_t start = residues.front(), largest = 0;
  for (const std::size_t r : residues) {
    const std::size_t gap = (r + high - previous) % high;
    if (gap > largest) {
      largest = gap;
      start = r;
    }
    previous = r;
  }
  return (high - start) % high;
}

bool no_worse(const LinearShape& a, const LinearShape& b) {
  return a.decomposed_inputs <= b.decomposed_inputs && a.babies <= b.babies &&
         a.giants <= b.giants && a.extended_outputs <= b.extended_outputs &&
         a.extended_terms <= b.extended_terms;
}

// (low, high) pairs worth trying.
std::vector<std::pair<std::size_t, std::size_t>> candidates(
    const std::vector<std::int32_t>& rotations, std::size_t modulus) {
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  for (std::size_t high = 1; high <= modulus; high *= 2) {
    for (std::size_t low = 1; low <= high; low *= 2) {
      ranges.emplace_back(low, high);
    }
  }
  std::size_t step = 0;
  for (const std::int32_t r : rotations) {
    step = std::gcd(step, index(r));
  }
  // A hoisted rotation costs no less than a sixteenth of a giant step: beyond four times the square
  // root the balance cannot be.
  for (std::size_t radix = 3;
       step != 0 && step * radix < modulus && radix * radix <= 16 * rotations.size(); ++radix) {
    ranges.emplace_back(1, step * radix);
  }
  return ranges;
}

}  // namespace

Steps Split::steps(std::int32_t rotation, std::size_t slot_count) const {
  const std::size_t v = (index(rotation) + offset) % modulus;
  const std::size_t baby = v % high - v % low;
  return {static_cast<std::int32_t>((baby + slot_count - offset) % slot_count),
          static_cast<std::int32_t>(v - baby)};
}

LinearShape split_shape(std::span<const Diagonal> diagonals, const Split& split) {
  std::int32_t inputs = 0, outputs = 0;
  for (const Diagonal& d : diagonals) {
    inputs = std::max(inputs, d.input + 1);
    outputs = std::max(outputs, d.output + 1);
  }
  PairSet babies(inputs, split.modulus), giants(outputs, split.modulus);
  std::vector<bool> decomposed(index(inputs), false), extended(index(outputs), false);
  std::vector<int> terms(index(outputs), 0);
  for (const Diagonal& d : diagonals) {
    const std::size_t v = (index(d.rotation) + split.offset) % split.modulus;
    const std::size_t baby = v % split.high - v % split.low;
    if (baby != split.offset) {
      babies.insert(d.input, baby);
      decomposed[index(d.input)] = true;
    }
    if (v != baby) {
      giants.insert(d.output, v - baby);
    }
    extended[index(d.output)] = extended[index(d.output)] || baby != split.offset || v != baby;
    ++terms[index(d.output)];
  }
  LinearShape shape;
  shape.decomposed_inputs = static_cast<int>(std::ranges::count(decomposed, true));
  shape.babies = babies.count();
  shape.giants = giants.count();
  shape.extended_outputs = static_cast<int>(std::ranges::count(extended, true));
  for (std::size_t o = 0; o < terms.size(); ++o) {
    (extended[o] ? shape.extended_terms : shape.plain_terms) += terms[o];
  }
  return shape;
}

std::vector<SplitOption> split_options(std::span<const Diagonal> diagonals, std::size_t modulus) {
  std::set<std::int32_t> distinct;
  for (const Diagonal& d : diagonals) {
    distinct.insert(d.rotation);
  }
  const std::vector<std::int32_t> rotations(distinct.begin(), distinct.end());
  const std::size_t gap = gap_offset(rotations, modulus);
  std::vector<SplitOption> options;
  for (const auto& [low, high] : candidates(rotations, modulus)) {
    // Bit ranges may have a gap of their own below the highest bit.
    const std::size_t inner = modulus % high == 0 ? gap_offset(rotations, high) : gap;
    for (const std::size_t offset : std::set<std::size_t>{0, gap, inner}) {
      const Split split{modulus, offset, low, high};
      const SplitOption option{split, split_shape(diagonals, split)};
      const bool useless = std::ranges::any_of(
          options, [&](const SplitOption& other) { return no_worse(other.shape, option.shape); });
      if (!useless) {
        std::erase_if(
            options, [&](const SplitOption& other) { return no_worse(option.shape, other.shape); });
        options.push_back(option);
      }
    }
  }
  return options;
}

const SplitOption& cheapest(std::span<const SplitOption> options, const CostTable& table,
                            const CostShape& shape) {
  return *std::ranges::min_element(options, {}, [&](const SplitOption& option) {
    return linear_us(table, shape, option.shape);
  });
}

}  // namespace ffconv::plan
