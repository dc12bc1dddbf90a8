#include "ffconv/lowrank/search.h"

#include <algorithm>

#include "ffconv/base/assert.h"

namespace ffconv::lowrank {
namespace {

struct Point {
  std::size_t rank;
  double cost, error;
};

// From `from` to `to`, which costs less: error per cost saved.
double slope(const Point& from, const Point& to) {
  return (to.error - from.error) / (from.cost - to.cost);
}

// A layer's states on the lower convex hull, from whole to cheapest: slopes do not fall.
std::vector<Point> hull_of(const Layer& layer, std::size_t index, const RankError& error,
                           const Cost& cost) {
  std::vector<Point> hull{{kWhole, cost(layer, kWhole), 0.0}};
  for (std::size_t rank = layer.full_rank(); rank >= 1; --rank) {
    const Point point{rank, cost(layer, rank), error(index, rank)};
    if (point.cost >= hull.back().cost) {
      continue;
    }
    while (hull.size() >= 2 &&
           slope(hull[hull.size() - 2], hull.back()) >= slope(hull.back(), point)) {
      hull.pop_back();
    }
    hull.push_back(point);
  }
  return hull;
}

// Spends what is left of the budget on the layers where a higher rank removes the most error.
void spend(const std::vector<Layer>& layers, const RankError& error, const Cost& cost, double left,
           Ranks& ranks) {
  while (true) {
    Point best{kWhole, 0.0, 0.0};  // of cost added and error removed
    std::size_t best_layer = layers.size();
    for (std::size_t l = 0; l < layers.size(); ++l) {
      if (ranks[l] == kWhole) {
        continue;
      }
      const double now = cost(layers[l], ranks[l]);
      const double removed_at_most = error(l, ranks[l]);
      const auto consider = [&](std::size_t rank) {
        const double added = cost(layers[l], rank) - now;
        const double removed = removed_at_most - (rank == kWhole ? 0.0 : error(l, rank));
        if (added <= left && removed > best.error) {
          best = {rank, added, removed};
          best_layer = l;
        }
      };
      consider(kWhole);
      for (std::size_t rank = ranks[l] + 1; rank <= layers[l].full_rank(); ++rank) {
        consider(rank);
      }
    }
    if (best_layer == layers.size()) {
      return;
    }
    ranks[best_layer] = best.rank;
    left -= best.cost;
  }
}

}  // namespace

double hma_cost(const Layer& layer, std::size_t rank) {
  return static_cast<double>(rank == kWhole ? layer.rows * layer.columns
                                            : rank * (layer.rows + layer.columns));
}

double total_cost(const std::vector<Layer>& layers, const Ranks& ranks, const Cost& cost) {
  double total = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    total += cost(layers[l], ranks[l]);
  }
  return total;
}

Ranks without_costly(const std::vector<Layer>& layers, Ranks ranks, const Cost& cost) {
  for (std::size_t l = 0; l < layers.size(); ++l) {
    if (cost(layers[l], ranks[l]) >= cost(layers[l], kWhole)) {
      ranks[l] = kWhole;
    }
  }
  return ranks;
}

RankError lost_energy(const std::vector<Components>& components,
                      const std::vector<double>& sensitivities) {
  FFCONV_ASSERT(components.size() == sensitivities.size());
  std::vector<std::vector<double>> errors;  // [layer][rank]
  for (std::size_t l = 0; l < components.size(); ++l) {
    std::vector<double> of_layer{0.0};  // kWhole
    for (std::size_t rank = 1; rank <= components[l].energies.size(); ++rank) {
      of_layer.push_back(sensitivities[l] * (1 - kept_energy(components[l], rank)));
    }
    errors.push_back(std::move(of_layer));
  }
  return [errors = std::move(errors)](std::size_t layer, std::size_t rank) {
    return errors[layer][rank];
  };
}

Ranks ranks_for_energy(const std::vector<Layer>& layers, const std::vector<Components>& components,
                       double energy, const Cost& cost) {
  Ranks ranks;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    std::size_t rank = 1;
    while (rank < layers[l].full_rank() && kept_energy(components[l], rank) < energy) {
      ++rank;
    }
    ranks.push_back(rank);
  }
  return without_costly(layers, std::move(ranks), cost);
}

std::vector<Ranks> rank_path(const std::vector<Layer>& layers, const RankError& error,
                             const Cost& cost) {
  struct Move {
    double slope;
    std::size_t layer, rank;
  };
  std::vector<Move> moves;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::vector<Point> hull = hull_of(layers[l], l, error, cost);
    for (std::size_t k = 1; k < hull.size(); ++k) {
      moves.push_back({slope(hull[k - 1], hull[k]), l, hull[k].rank});
    }
  }
  // Stable: a layer's moves stay in order where slopes are equal.
  std::ranges::stable_sort(moves, {}, &Move::slope);
  std::vector<Ranks> path{Ranks(layers.size(), kWhole)};
  for (const Move& move : moves) {
    path.push_back(path.back());
    path.back()[move.layer] = move.rank;
  }
  return path;
}

std::optional<Ranks> ranks_within_budget(const std::vector<Layer>& layers, const RankError& error,
                                         const Cost& cost, double budget) {
  for (Ranks& ranks : rank_path(layers, error, cost)) {
    const double total = total_cost(layers, ranks, cost);
    if (total <= budget) {
      spend(layers, error, cost, budget - total, ranks);
      return ranks;
    }
  }
  return std::nullopt;
}

Ranks ranks_within_loss(const std::vector<Ranks>& path,
                        const std::function<double(const Ranks&)>& loss, double limit) {
  std::size_t good = 0, bad = path.size();
  while (bad - good > 1) {
    const std::size_t middle = good + (bad - good) / 2;
    (loss(path[middle]) <= limit ? good : bad) = middle;
  }
  return path[good];
}

std::optional<Ranks> ranks_within_latency(const std::vector<Ranks>& path,
                                          const std::function<double(const Ranks&)>& latency,
                                          double limit, std::size_t probes) {
  const std::size_t last = path.size() - 1;
  std::size_t slow = 0;
  for (std::size_t probe = 0; probe <= probes; ++probe) {
    std::size_t fast = probe * last / probes;
    if (latency(path[fast]) > limit) {
      slow = fast;
      continue;
    }
    while (fast - slow > 1) {
      const std::size_t middle = slow + (fast - slow) / 2;
      (latency(path[middle]) <= limit ? fast : slow) = middle;
    }
    return path[fast];
  }
  return std::nullopt;
}

}  // namespace ffconv::lowrank
