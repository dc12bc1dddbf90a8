// Layouts: which element of a tensor stands in which slot of which ciphertext.
//
// A layout is one label vector a ciphertext, all of one period, a power of two that divides the
// slot count: a period shorter than the slot count means that everything is repeated. An element
// may stand in several places (replicas); a slot without an element is zero. Pictures:
// docs/packing.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ffconv/model/network.h"
#include "ffconv/model/shape.h"
#include "ffconv/plan/program.h"

namespace ffconv::plan {

struct Layout {
  std::string name;  // for reports
  std::vector<SlotLabels> ciphertexts;

  std::size_t period() const { return ciphertexts.front().elements.size(); }
  // Whether every element stands in the same places.
  bool operator==(const Layout& other) const { return ciphertexts == other.ciphertexts; }
};

// One place of an element; `slot` is below the period.
struct Place {
  std::int32_t ciphertext;
  std::int32_t slot;
};

// The places of every element of a tensor in a layout: one for each ciphertext and slot modulo
// `modulus` (which divides the period), ascending by that residue, then by ciphertext.
class Places {
 public:
  Places(const Layout& layout, std::size_t element_count, std::size_t modulus);
  std::span<const Place> of(std::size_t element) const {
    return {places_.data() + first_[element], places_.data() + first_[element + 1]};
  }

 private:
  std::vector<std::size_t> first_;  // [element_count + 1]
  std::vector<Place> places_;
};

// Distances in slots between neighbours: element (c, y, x) stands at c*channel + y*row + x*column.
struct Grid {
  std::size_t channel, row, column;

  bool operator==(const Grid&) const = default;
};

// Row-major channels, each in a block of a power of two.
Grid blocked_grid(const model::Shape& shape);
// Without gaps.
Grid flat_grid(const model::Shape& shape);
// Where the outputs of `linear` stay if each stands where the first input under its kernel does
// (outputs of a convolution with a stride leave gaps). nullopt where they do not fit into the
// blocks.
std::optional<Grid> strided_grid(const model::Linear& linear, const Grid& in);

// A tensor on a grid, continued in further ciphertexts where one does not hold it. The period is
// the smallest power of two that holds all, at most slot_count.
Layout grid_layout(const model::Shape& shape, const Grid& grid, std::size_t slot_count);

// Each channel alone in a ciphertext, in all of its blocks of grid.channel slots.
Layout channel_layout(const model::Shape& shape, const Grid& grid);

// For the input of a layer that has `period` output channels in blocks like these, at block index
// modulo period: block f * period + u holds channel f * run + (u mod run), so that shifts by `run`
// blocks and a fold over the multiples of `period` blocks bring every channel to every u. Elements
// within a block stand as `grid` says; grid.channel is the block's size. run divides period, both
// are powers of two, and all channels must fit: slot_count / (block * period) * run >= channels.
Layout folded_layout(const model::Shape& shape, const Grid& grid, std::size_t period,
                     std::size_t run, std::size_t slot_count);

// Inputs that the client prepares for a first layer whose outputs stand in `out`, per kernel offset
// (im2col): no rotation is needed. The inputs of output element o, in the order of
// for_each_weight(), are its taps; with copies = slot_count / out.period(), slot t * period + u of
// a ciphertext of group j holds tap j * copies + t of the element at u. Groups are as many as the
// taps need; equal label vectors are kept once.
Layout offset_layout(const model::Linear& linear, const Layout& out, std::size_t slot_count);

// Weights of an output element: taps, those on padding included; of a sparse matrix the mean.
std::size_t tap_count(const model::Linear& linear);

// The smallest power of two that is at least x.
std::size_t power_of_two_at_least(std::size_t x);

}  // namespace ffconv::plan
