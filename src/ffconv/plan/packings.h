// The packings: which layout each tensor of a network gets, and the programs that follow.
//
// dense and auto choose one layout for the input and one for the output of every linear layer; the
// program is then the same mechanical lowering (auto: search.h). lola is a pipeline of its own.
// Pictures, sources and counts: docs/packing.md.
#pragma once

#include <string_view>
#include <vector>

#include "ffconv/plan/layout.h"
#include "ffconv/plan/lowering.h"
#include "ffconv/plan/program.h"

namespace ffconv::plan {

enum class Packing { kDense, kLola, kAuto };

std::string_view to_string(Packing packing);
// Throws kInvalidArgument, naming what there is, for anything else than "dense", "lola" and "auto".
Packing packing_from_string(std::string_view name);

// A program without scales for `layouts`: the input's, then one for every linear layer's output.
// Each layer consumes one level.
Program lower_chain(const Lowering& lowering, const std::vector<Layout>& layouts);

// DensePack: the image channel after channel, each in a block of a power of two; outputs of a
// convolution with a stride stay where they are; outputs of dense layers without gaps, folded to
// the smallest period.
std::vector<Layout> dense_layouts(const Lowering& lowering);

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
