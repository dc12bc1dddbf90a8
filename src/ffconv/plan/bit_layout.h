// Layouts in which every bit of an element's channel, row and column is a bit of its address.
//
// The address of an element is its slot, and above that the number of its ciphertext. Such layouts
// are additive: address = S_c(channel) + S_y(row) + S_x(column). So the diagonals of a convolution
// between two of them are all sums of one difference a channel pair, one a kernel row and one a
// kernel column, and are known without looking at a single weight. Docs/packing.md has pictures.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "ffconv/model/network.h"
#include "ffconv/model/shape.h"
#include "ffconv/plan/grouping.h"
#include "ffconv/plan/layout.h"

namespace ffconv::plan {

struct BitLayout {
  // bits[axis][k]: the address bit of bit k of the channel (axis 0), row (1) or column (2).
  std::array<std::vector<int>, 3> bits;
  int log_period = 0;  // address bits from here on number the ciphertext

  int log_size() const;  // of the tensor, padded to powers of two
  std::size_t ciphertext_limit() const { return std::size_t{1} << (log_size() - log_period); }
  bool operator==(const BitLayout&) const = default;
};

// "{c6} c5-0 y3-0 x3-0": the address from its highest bit down, ciphertext numbers in braces.
std::string to_string(const BitLayout& layout);

// The elements of a tensor of three dimensions. Ciphertexts that would hold none are left out.
Layout make_layout(const model::Shape& shape, const BitLayout& layout);

// How a tensor may be read next: convolutions with strides take one phase of a row or column at a
// time, which are its lowest bits.
struct BitLayoutOptions {
  std::size_t slot_count = 0;
  std::vector<std::array<int, 2>> phases{{0, 0}};  // bits of rows and columns, ways to try
  int max_gap = 0;  // most channel bits below the rows' and below the columns' bits
};

// Layouts worth trying for a tensor: from the top phases and channels, or channels and phases;
// rows, up to max_gap bits of the channel, columns, as many bits of the channel; in as many
// ciphertexts as it takes, or two or four times as many of a shorter period.
std::vector<BitLayout> bit_layouts(const model::Shape& shape, const BitLayoutOptions& options);

// Numbers below a limit, each once; made for being cleared often.
class NumberSet {
 public:
  void clear(std::size_t limit);
  bool insert(std::size_t number);  // whether it is new
  const std::vector<std::size_t>& members() const { return members_; }

 private:
  std::vector<bool> known_;
  std::vector<std::size_t> members_;
};

// The diagonals of LinearMap for a convolution between any two such layouts of its input and
// output.
class ConvolutionDiagonals {
 public:
  explicit ConvolutionDiagonals(const model::Linear& linear);  // must outlive it

  std::size_t count(const BitLayout& in, const BitLayout& out);
  std::vector<Diagonal> find(const BitLayout& in, const BitLayout& out);

 private:
  // A channel's, row's or column's part of a diagonal.
  struct Difference {
    std::size_t in_ciphertext, out_ciphertext;  // addresses
    std::size_t rotation;                       // modulo G
  };
  // Calls f(in position, out position) for all that meet on an axis.
  template <typename F>
  void for_each_pair(std::size_t axis, F&& f) const;
  void find_differences(std::size_t axis, const BitLayout& in, const BitLayout& out);
  // Leaves (output * inputs + input) * G + rotation of all diagonals in known_.
  void find_all(const BitLayout& in, const BitLayout& out);

  const model::Linear& linear_;
  std::array<std::vector<Difference>, 3> differences_;
  NumberSet known_;
};

}  // namespace ffconv::plan
