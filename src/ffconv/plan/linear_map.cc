#include "ffconv/plan/linear_map.h"

#include <algorithm>
#include <optional>

#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"

namespace ffconv::plan {
namespace {

std::size_t index(std::int32_t number) {
  return static_cast<std::size_t>(number);
}

// Positions of diagonals up to which their numbers are kept in a table.
constexpr std::size_t kLargestTable = std::size_t{1} << 24;

// The constant that `values` holds wherever `labels`, rotated by `step`, has an element: what it
// holds elsewhere meets a zero.
std::optional<double> constant(const std::vector<double>& values, const SlotLabels& labels,
                               std::size_t step) {
  std::optional<double> found;
  const auto& elements = labels.elements;
  for (std::size_t s = 0; s < values.size(); ++s) {
    if (elements[(s + step) % elements.size()] != SlotLabels::kEmpty) {
      if (found && *found != values[s]) {
        return std::nullopt;
      }
      found = values[s];
    }
  }
  return found;
}

}  // namespace

LinearMap::LinearMap(const model::Linear& linear, const Layout& in, const Layout& out)
    : linear_(linear),
      in_(in),
      out_(out),
      modulus_(std::min(in.period(), out.period())),
      period_(std::max(in.period(), out.period())),
      sources_(in, linear.in.size(), modulus_),
      targets_(out, linear.out.size(), out.period()) {
  std::vector<bool> used(out.ciphertexts.size() * in.ciphertexts.size() * modulus_, false);
  // Targets alike modulo G use the same rotations.
  const Places targets(out, linear.out.size(), modulus_);
  for_each_product(targets, [&](const Diagonal& d, const Place&, const Place&, double) {
    const std::size_t at = position(d);
    if (!used[at]) {
      used[at] = true;
      diagonals_.push_back(d);
    }
  });
  std::sort(diagonals_.begin(), diagonals_.end());
  if (used.size() <= kLargestTable) {
    numbers_.resize(used.size());
    for (std::size_t k = 0; k < diagonals_.size(); ++k) {
      numbers_[position(diagonals_[k])] = static_cast<std::int32_t>(k);
    }
  }
}

std::size_t LinearMap::position(const Diagonal& d) const {
  return (index(d.output) * in_.ciphertexts.size() + index(d.input)) * modulus_ + index(d.rotation);
}

// Calls f(diagonal, place of the output, place of the input, weight) for every weight and every one
// of `targets` of its output element.
template <typename F>
void LinearMap::for_each_product(const Places& targets, F&& f) const {
  const std::size_t mask = modulus_ - 1;
  model::for_each_weight(linear_, [&](std::size_t o, std::size_t i, double weight) {
    const auto sources = sources_.of(i);
    const auto outputs = targets.of(o);
    if (sources.empty() || outputs.empty()) {
      fail(ErrorCode::kInvalidArgument, "layer {}: {} element {} stands in no slot of its layout",
           linear_.name, sources.empty() ? "input" : "output", sources.empty() ? i : o);
    }
    for (const Place& target : outputs) {
      // The first source at or after the target, around the circle of residues.
      const std::size_t residue = index(target.slot) & mask;
      auto source = sources.begin();
      if (sources.size() > 1) {
        source = std::ranges::lower_bound(
            sources, residue, {}, [&](const Place& place) { return index(place.slot) & mask; });
        if (source == sources.end()) {
          source = sources.begin();
        }
      }
      const auto rotation =
          static_cast<std::int32_t>((index(source->slot) - index(target.slot)) & mask);
      f(Diagonal{target.ciphertext, source->ciphertext, rotation}, target, *source, weight);
    }
  });
}

std::size_t LinearMap::index_of(const Diagonal& diagonal) const {
  if (!numbers_.empty()) {
    return index(numbers_[position(diagonal)]);
  }
  const auto found = std::lower_bound(diagonals_.begin(), diagonals_.end(), diagonal);
  FFCONV_ASSERT(found != diagonals_.end() && *found == diagonal);
  return static_cast<std::size_t>(found - diagonals_.begin());
}

std::vector<SlotVector> LinearMap::vectors(const Split& split, std::size_t slot_count) const {
  std::vector<SlotVector> result(diagonals_.size(), {std::vector<double>(period_, 0.0)});
  for_each_product(
      targets_, [&](const Diagonal& d, const Place& target, const Place& source, double weight) {
        const Steps steps = split.steps(d.rotation, slot_count);
        // The product happens before the giant step: at the input's slot moved by the baby step
        // alone. A shorter input repeats, so that there the output's slot decides.
        const std::size_t slot = in_.period() >= out_.period()
                                     ? index(source.slot) + slot_count - index(steps.baby)
                                     : index(target.slot) + index(steps.giant);
        result[index_of(d)].values[slot % period_] = weight;
      });
  for (std::size_t k = 0; k < result.size(); ++k) {
    auto& values = result[k].values;
    const Steps steps = split.steps(diagonals_[k].rotation, slot_count);
    const auto& labels = in_.ciphertexts[index(diagonals_[k].input)];
    if (const auto value = constant(values, labels, index(steps.baby))) {
      values.assign(1, *value);
    }
  }
  return result;
}

}  // namespace ffconv::plan
