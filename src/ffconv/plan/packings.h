// The packings: which layout each tensor of a network gets, and the programs that follow.
//
// All but lola choose one layout for the input and one for the output of every linear layer; the
// program is then the same mechanical lowering (auto: search.h). lola is a pipeline of its own.
// Pictures, sources and counts: docs/packing.md.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "ffconv/plan/layout.h"
#include "ffconv/plan/lowering.h"
#include "ffconv/plan/program.h"

namespace ffconv::plan {

enum class Packing { kDense, kConv, kFfconv, kFalcon, kLola, kBatch, kAuto };
inline constexpr std::array kAllPackings = {Packing::kDense,  Packing::kConv, Packing::kFfconv,
                                            Packing::kFalcon, Packing::kLola, Packing::kBatch,
                                            Packing::kAuto};

std::string_view to_string(Packing packing);
// Throws kInvalidArgument, naming what there is, for anything else than such a name.
Packing packing_from_string(std::string_view name);

// A program without scales for `layouts`: the input's, then one for every linear layer's output.
// Each layer consumes one level.
Program lower_chain(const Lowering& lowering, const std::vector<Layout>& layouts);

// What becomes of a convolution's outputs under DensePack where it has a stride.
enum class Strided {
  kKeepsPlaces,  // they stay where the inputs were: few rotations, but gaps
  kCloses,       // they move together
};

// DensePack: the image channel after channel, each in a block of a power of two; outputs of dense
// layers without gaps, folded to the smallest period.
std::vector<Layout> dense_layouts(const Lowering& lowering, Strided strided);

// A network with layers of a packing's own.
struct Expanded {
  model::Network network;
  model::Ranges ranges;
};

// FFConv (Lu et al., arXiv 2102.03494): as DensePack, but a layer that a 1 x 1 convolution follows
// leaves every channel alone in a ciphertext, in all of its blocks. The 1 x 1 is then one product
// for each of these ciphertexts, without a rotation, and leaves DensePack's layout again.
std::vector<Layout> ffconv_layouts(const Lowering& lowering, Strided strided);

// ConvPack throughout: one ciphertext for every kernel offset and input channel, whose slots are
// output positions, so that a convolution is scalars times ciphertexts and leaves a ciphertext a
// channel; a dense layer is a convolution over all positions. The client makes the first such
// patches. Later ones are a layer of their own, and a level: rotations and masks.
// Adds these layers; `margin` as for Bounds.
Expanded with_patches(const model::Network& network, const model::Ranges& ranges, double margin);
// For a network from with_patches(). Empty where a channel does not fit into a ciphertext.
std::vector<Layout> conv_layouts(const Lowering& lowering);

// Falcon (Lou, Lu, Hong and Jiang, NeurIPS 2020): convolutions in the frequency domain. Each
// becomes three layers, and levels: the discrete Fourier transform of every padded channel, as real
// numbers; one product for each frequency and pair of channels; the transform back, without what a
// stride leaves out. Dense layers stay as they are: Falcon trains block-circulant ones.
Expanded with_spectra(const model::Network& network, const model::Ranges& ranges);
// For a network from with_spectra(): every channel in a block that holds the largest spectrum.
std::vector<Layout> falcon_layouts(const Lowering& lowering);

// CryptoNets (Gilad-Bachrach et al., ICML 2016): every element in a ciphertext of its own, in all
// slots, so that layers are matrices of scalars and slots never meet. The same program classifies
// one image or, each in a slot of its own, as many as there are slots.
std::vector<Layout> batch_layouts(const Lowering& lowering);
// Multiplications by scalars that such a program may have: it lists each of them.
inline constexpr std::size_t kMostBatchProducts = std::size_t{1} << 23;

// LoLa (Brutzkus, Gilad-Bachrach and Elisha, ICML 2019) as published: a first convolution on one
// ciphertext a kernel offset, scalars only; maps joined to one vector; dense layers (and later
// convolutions, as matrices) row by row on stacked copies, rotate-and-sum, mask, interleave; the
// last layer row by row. No hoisting, no baby steps. The last layer's scores fill a ciphertext
// each.
Program lower_lola(const Lowering& lowering);

// A lower bound on the predicted time of that program, from the rotate-and-sums of its matrices
// alone: large networks' programs of this kind need not be made to be ruled out.
double least_lola_us(const Lowering& lowering);

}  // namespace ffconv::plan
