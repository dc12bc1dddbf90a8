// What factorization costs in accuracy, measured on images in floating point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ffconv/lowrank/components.h"
#include "ffconv/lowrank/factorize.h"
#include "ffconv/lowrank/observe.h"

namespace ffconv::lowrank {

// The class of each of the first `count` images.
std::vector<std::size_t> predictions(const model::Graph& graph, const model::Dataset& images,
                                     std::size_t count, const Stage& stage);

// The part of the images that is lost: with labels, those classified rightly by `before` less those
// by `after` (negative where more are); without labels (empty), those classified otherwise.
double loss(std::span<const std::size_t> before, std::span<const std::size_t> after,
            std::span<const std::uint8_t> labels);

struct Measurement {
  std::vector<double> output_errors;  // [layers]: |z - z'| / |z| over all images, for the outputs z
                                      // of the layer in `original` and z' in `factorized`, whose
                                      // layers before it are factorized too
  double score_error = 0;             // the same for the class scores
  std::vector<std::size_t> before, after;  // predictions
};
Measurement measure(const model::Graph& original, const model::Graph& factorized,
                    const std::vector<Layer>& layers, const model::Dataset& images,
                    std::size_t count, const Stage& stage);

// By layer: the relative squared error of the scores over the energy that is lost, with that layer
// alone factorized to a rank that keeps nine tenths of its energy. For lost_energy().
std::vector<double> sensitivities(const model::Graph& graph, const std::vector<Layer>& layers,
                                  const std::vector<Components>& components,
                                  const model::Dataset& images, std::size_t count,
                                  const Progress& progress);

}  // namespace ffconv::lowrank
