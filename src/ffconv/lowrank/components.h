// The directions of a layer's outputs that a factorized layer keeps.
//
// A layer z = W x + b becomes z ~ m + E E' (z - m) = E (E' W) x + (m + E E' (b - m)), where the r
// columns of E are orthonormal: E' W leaves r channels, E makes the outputs of them again, and what
// the projection does not touch goes into the bias, exactly. The two methods differ in E and m:
//
//   kSvd  E are the leading left singular vectors of W, m = b. Least squares for the weights
//         (Eckart and Young, 1936); needs no images.
//   kPca  E are the leading eigenvectors of the outputs' covariance over images and positions, m
//         their mean. Least squares for the outputs (Pearson, 1901): errors count as the images
//         meet them.
//
// The channels between are left as E' W makes them. Dividing each by its spread would make the
// faint ones as large as the others, and larger on images unlike the calibration's.
#pragma once

#include <cstddef>
#include <vector>

#include "ffconv/base/progress.h"
#include "ffconv/lowrank/layer.h"
#include "ffconv/model/dataset.h"

namespace ffconv::lowrank {

enum class Method { kSvd, kPca };

struct Components {
  Matrix directions;             // [rows][full_rank], orthonormal columns, leading first
  std::vector<double> energies;  // [full_rank], descending, >= 0: squared singular values, or
                                 // variances of the outputs along the direction
  Vector mean;                   // [rows], m above
};

// The part of the energy, 0 to 1, that the leading `rank` directions hold; 1 where there is none.
double kept_energy(const Components& components, std::size_t rank);

// By kSvd, one per layer.
std::vector<Components> weight_components(const model::Graph& graph,
                                          const std::vector<Layer>& layers);

// By kPca, one per layer, from the first `count` of `images`. Images run in parallel; the result
// does not depend on the number of threads. count <= images.size(), at least 1; the images have the
// graph's input shape.
std::vector<Components> response_components(const model::Graph& graph,
                                            const std::vector<Layer>& layers,
                                            const model::Dataset& images, std::size_t count,
                                            const Progress& progress = {});

}  // namespace ffconv::lowrank
