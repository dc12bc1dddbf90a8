// Tensors in and out of slots, as program labels say.
#pragma once

#include <span>
#include <vector>

#include "ffconv/plan/program.h"

namespace ffconv::plan {

// The slots of one input for the tensor `elements`: one period of `labels`, 0 where it is empty.
// Every label is below elements.size().
std::vector<double> pack(const SlotLabels& labels, std::span<const double> elements);

// The `count` elements that decrypted outputs hold: slots[i] are all slots of output i, of a length
// that labels[i]'s period divides. An element is the mean of its replicas; an element without a
// slot is 0 (check_program() rules that out).
std::vector<double> unpack(std::span<const SlotLabels> labels,
                           std::span<const std::vector<double>> slots, std::size_t count);

}  // namespace ffconv::plan
