#include "ffconv/plan/labels.h"

#include <cstddef>

#include "ffconv/base/assert.h"

namespace ffconv::plan {

std::vector<double> pack(const SlotLabels& labels, std::span<const double> elements) {
  std::vector<double> slots(labels.elements.size(), 0.0);
  for (std::size_t s = 0; s < slots.size(); ++s) {
    if (const std::int32_t label = labels.elements[s]; label != SlotLabels::kEmpty) {
      FFCONV_ASSERT(static_cast<std::size_t>(label) < elements.size());
      slots[s] = elements[static_cast<std::size_t>(label)];
    }
  }
  return slots;
}

std::vector<double> unpack(std::span<const SlotLabels> labels,
                           std::span<const std::vector<double>> slots, std::size_t count) {
  std::vector<double> sums(count, 0.0);
  std::vector<std::size_t> replicas(count, 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& elements = labels[i].elements;
    FFCONV_ASSERT(slots[i].size() % elements.size() == 0);
    for (std::size_t s = 0; s < slots[i].size(); ++s) {
      if (const std::int32_t label = elements[s % elements.size()]; label != SlotLabels::kEmpty) {
        sums[static_cast<std::size_t>(label)] += slots[i][s];
        ++replicas[static_cast<std::size_t>(label)];
      }
    }
  }
  for (std::size_t e = 0; e < count; ++e) {
    sums[e] /= replicas[e] == 0 ? 1.0 : static_cast<double>(replicas[e]);
  }
  return sums;
}

}  // namespace ffconv::plan
