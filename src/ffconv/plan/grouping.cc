#include "ffconv/plan/grouping.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

namespace ffconv::plan {
namespace {

std::size_t index(std::int32_t number) {
  return static_cast<std::size_t>(number);
}

// Sets of numbers below a limit, one for each step below another, as bit masks; made for being
// cleared often.
class StepSets {
 public:
  StepSets(std::size_t steps, std::size_t limit)
      : words_((limit + 63) / 64), masks_(steps * words_), touched_(steps, false) {}
  std::size_t words() const { return words_; }
  void clear() {
    for (const std::size_t step : steps_) {
      touched_[step] = false;
      std::fill_n(masks_.begin() + static_cast<std::ptrdiff_t>(step * words_), words_, 0);
    }
    steps_.clear();
  }
  void insert(std::size_t step, std::size_t number) {
    touch(step)[number / 64] |= std::uint64_t{1} << (number % 64);
  }
  void unite(std::size_t step, const std::uint64_t* numbers) {
    std::uint64_t* mask = touch(step);
    for (std::size_t w = 0; w < words_; ++w) {
      mask[w] |= numbers[w];
    }
  }
  const std::uint64_t* at(std::size_t step) const { return masks_.data() + step * words_; }
  int sets() const { return static_cast<int>(steps_.size()); }
  // Numbers in all sets together, each as often as it occurs.
  int total() const {
    int count = 0;
    for (const std::size_t step : steps_) {
      for (std::size_t w = 0; w < words_; ++w) {
        count += std::popcount(at(step)[w]);
      }
    }
    return count;
  }

 private:
  std::uint64_t* touch(std::size_t step) {
    if (!touched_[step]) {
      touched_[step] = true;
      steps_.push_back(step);
    }
    return masks_.data() + step * words_;
  }

  std::size_t words_;
  std::vector<std::uint64_t> masks_;
  std::vector<bool> touched_;
  std::vector<std::size_t> steps_;
};

std::size_t extent(std::span<const Diagonal> diagonals, std::int32_t Diagonal::*number) {
  std::int32_t most = -1;
  for (const Diagonal& d : diagonals) {
    most = std::max(most, d.*number);
  }
  return index(most + 1);
}

// What linear maps of given diagonals are composed of under any split of a modulus. A split treats
// all diagonals of a rotation alike, so they are gone through rotation by rotation.
class Shapes {
 public:
  Shapes(std::span<const Diagonal> diagonals, std::size_t modulus)
      : inputs_(modulus, extent(diagonals, &Diagonal::input)),
        outputs_(modulus, extent(diagonals, &Diagonal::output)),
        terms_(extent(diagonals, &Diagonal::output), 0),
        babies_(modulus, extent(diagonals, &Diagonal::input)),
        giants_(modulus, extent(diagonals, &Diagonal::output)),
        unrotated_(1, extent(diagonals, &Diagonal::input)),
        decomposed_(1, extent(diagonals, &Diagonal::input)),
        extended_(1, extent(diagonals, &Diagonal::output)) {
    for (const Diagonal& d : diagonals) {
      inputs_.insert(index(d.rotation), index(d.input));
      outputs_.insert(index(d.rotation), index(d.output));
      ++terms_[index(d.output)];
      rotations_.push_back(d.rotation);
    }
    std::ranges::sort(rotations_);
    rotations_.erase(std::unique(rotations_.begin(), rotations_.end()), rotations_.end());
  }

  const std::vector<std::int32_t>& rotations() const { return rotations_; }

  SplitOption of(const Split& split) {
    babies_.clear();
    giants_.clear();
    unrotated_.clear();
    decomposed_.clear();
    extended_.clear();
    for (const std::int32_t rotation : rotations_) {
      const std::size_t r = index(rotation), v = (r + split.offset) % split.modulus;
      const std::size_t baby = v % split.high - v % split.low;
      if (baby != split.offset) {
        babies_.unite(baby, inputs_.at(r));
        decomposed_.unite(0, inputs_.at(r));
      } else {
        unrotated_.unite(0, inputs_.at(r));
      }
      if (v != baby) {
        giants_.unite(v - baby, outputs_.at(r));
      }
      if (baby != split.offset || v != baby) {
        extended_.unite(0, outputs_.at(r));
      }
    }
    LinearShape shape;
    shape.unrotated_inputs = unrotated_.total();
    shape.decomposed_inputs = decomposed_.total();
    shape.babies = babies_.total();
    shape.giants = giants_.total();
    shape.extended_outputs = extended_.total();
    for (std::size_t o = 0; o < terms_.size(); ++o) {
      const bool extended = (extended_.at(0)[o / 64] >> (o % 64) & 1) != 0;
      (extended ? shape.extended_terms : shape.plain_terms) += terms_[o];
    }
    return {split, shape, babies_.sets() + giants_.sets()};
  }

 private:
  StepSets inputs_, outputs_;  // of each rotation
  std::vector<int> terms_;     // of each output
  std::vector<std::int32_t> rotations_;
  StepSets babies_, giants_, unrotated_, decomposed_, extended_;
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

bool no_worse(const SplitOption& x, const SplitOption& y) {
  const LinearShape &a = x.shape, &b = y.shape;
  return x.keys <= y.keys && a.decomposed_inputs <= b.decomposed_inputs && a.babies <= b.babies &&
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
  return Shapes(diagonals, split.modulus).of(split).shape;
}

std::vector<SplitOption> split_options(std::span<const Diagonal> diagonals, std::size_t modulus) {
  Shapes shapes(diagonals, modulus);
  const std::vector<std::int32_t>& rotations = shapes.rotations();
  const std::size_t gap = gap_offset(rotations, modulus);
  std::vector<SplitOption> options;
  for (const auto& [low, high] : candidates(rotations, modulus)) {
    // Bit ranges may have a gap of their own below the highest bit.
    const std::size_t inner = modulus % high == 0 ? gap_offset(rotations, high) : gap;
    for (const std::size_t offset : std::set<std::size_t>{0, gap, inner}) {
      const SplitOption option = shapes.of({modulus, offset, low, high});
      const bool useless = std::ranges::any_of(
          options, [&](const SplitOption& other) { return no_worse(other, option); });
      if (!useless) {
        std::erase_if(options, [&](const SplitOption& other) { return no_worse(option, other); });
        options.push_back(option);
      }
    }
  }
  return options;
}

const SplitOption& cheapest(std::span<const SplitOption> options, const CostTable& table,
                            const CostShape& shape, double key_us) {
  return *std::ranges::min_element(options, {}, [&](const SplitOption& option) {
    return linear_us(table, shape, option.shape) + key_us * option.keys;
  });
}

}  // namespace ffconv::plan
