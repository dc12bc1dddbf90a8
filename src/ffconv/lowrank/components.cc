#include "ffconv/lowrank/components.h"

#include <algorithm>
#include <numeric>

#include <Eigen/Eigenvalues>

#include "ffconv/lowrank/observe.h"

namespace ffconv::lowrank {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// From a symmetric, positive semi-definite matrix.
Components leading_directions(const Matrix& symmetric, std::size_t full_rank, Vector mean) {
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(symmetric);
  const auto rank = static_cast<Eigen::Index>(full_rank);
  // Eigen sorts ascending.
  Components result{solver.eigenvectors().rightCols(rank).rowwise().reverse(), {}, std::move(mean)};
  const Vector values = solver.eigenvalues().tail(rank).reverse().cwiseMax(0.0);
  result.energies.assign(values.begin(), values.end());
  return result;
}

// Of a layer's outputs z over images and positions.
struct Moments {
  Vector sum;
  Matrix products;  // the lower triangle of the sum of z z'
};

}  // namespace

double kept_energy(const Components& components, std::size_t rank) {
  const auto& energies = components.energies;
  const auto middle =
      energies.begin() + static_cast<std::ptrdiff_t>(std::min(rank, energies.size()));
  const double kept = std::accumulate(energies.begin(), middle, 0.0);
  const double lost = std::accumulate(middle, energies.end(), 0.0);
  return lost == 0 ? 1.0 : kept / (kept + lost);
}

std::vector<Components> weight_components(const model::Graph& graph,
                                          const std::vector<Layer>& layers) {
  std::vector<Components> result;
  for (const Layer& layer : layers) {
    const Matrix weights = weights_of(graph, layer);
    result.push_back(leading_directions(weights * weights.transpose(), layer.full_rank(),
                                        bias_of(graph, layer)));
  }
  return result;
}

std::vector<Components> response_components(const model::Graph& graph,
                                            const std::vector<Layer>& layers,
                                            const model::Dataset& images, std::size_t count,
                                            const Progress& progress) {
  std::vector<Moments> moments;
  Probe probe{graph, {}};
  for (const Layer& layer : layers) {
    const auto rows = static_cast<Eigen::Index>(layer.rows);
    moments.push_back({Vector::Zero(rows), Matrix::Zero(rows, rows)});
    probe.nodes.push_back(layer.node);
  }
  observe({probe}, images, count, {"responses", progress}, [&](std::size_t, const auto& seen) {
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const Eigen::Map<const RowMajor> z(seen[0][l].data(),
                                         static_cast<Eigen::Index>(layers[l].rows),
                                         static_cast<Eigen::Index>(layers[l].positions));
      moments[l].sum += z.rowwise().sum();
      moments[l].products.selfadjointView<Eigen::Lower>().rankUpdate(z);
    }
  });
  std::vector<Components> result;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto samples = static_cast<double>(count * layers[l].positions);
    Vector mean = moments[l].sum / samples;
    Matrix covariance = moments[l].products.selfadjointView<Eigen::Lower>();
    covariance = covariance / samples - mean * mean.transpose();
    result.push_back(leading_directions(covariance, layers[l].full_rank(), std::move(mean)));
  }
  return result;
}

}  // namespace ffconv::lowrank
