// Ranks for all layers at once, against a cost.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "ffconv/lowrank/components.h"
#include "ffconv/lowrank/factorize.h"
#include "ffconv/lowrank/layer.h"

namespace ffconv::lowrank {

// What a layer costs with that rank, or as it is (kWhole), in any unit: products, microseconds. The
// network's cost is the sum. It grows with the rank, but for kWhole.
using Cost = std::function<double(const Layer& layer, std::size_t rank)>;

// Homomorphic multiply-accumulates (model/work.h).
double hma_cost(const Layer& layer, std::size_t rank);

// What all of them cost together.
double total_cost(const std::vector<Layer>& layers, const Ranks& ranks, const Cost& cost);

// Layers whose factorized form costs no less than the original stay whole.
Ranks without_costly(const std::vector<Layer>& layers, Ranks ranks, const Cost& cost);

// By how much the network's output suffers, roughly, if `layer` (an index) has that rank: not
// negative, 0 for kWhole, falling as the rank grows. Layers' errors are comparable and add up.
using RankError = std::function<double(std::size_t layer, std::size_t rank)>;

// sensitivities[layer] times the energy that is lost; 1 each where sensitivities are not known.
RankError lost_energy(const std::vector<Components>& components,
                      const std::vector<double>& sensitivities);

// Every layer's smallest rank that keeps that part of its energy (0 to 1).
Ranks ranks_for_energy(const std::vector<Layer>& layers, const std::vector<Components>& components,
                       double energy, const Cost& cost);

// From all layers whole to all at their cheapest: states on the lower convex hull of (cost, error),
// which are those that minimize error + lambda * cost for some lambda. Each lowers one layer's rank
// where that costs the least error for what it saves. The first entry is all kWhole.
std::vector<Ranks> rank_path(const std::vector<Layer>& layers, const RankError& error,
                             const Cost& cost);

// The least error for at most `budget`: the first state of the path that fits, and what is left of
// the budget spent where it removes the most error. nullopt where nothing fits.
std::optional<Ranks> ranks_within_budget(const std::vector<Layer>& layers, const RankError& error,
                                         const Cost& cost, double budget);

// The cheapest state of the path whose `loss` is at most `limit`, found by bisection, which takes
// the loss to grow along the path; the state returned has been measured, unless it is the first.
Ranks ranks_within_loss(const std::vector<Ranks>& path,
                        const std::function<double(const Ranks&)>& loss, double limit);

// The first state of the path, coarsely, whose `latency` is at most `limit`; nullopt where none
// that was looked at is. Latency need not fall along the path, since a factorized layer takes a
// level more: `probes` states apart are looked at in order, then those between the first that is
// fast enough and the one before it, by bisection.
std::optional<Ranks> ranks_within_latency(const std::vector<Ranks>& path,
                                          const std::function<double(const Ranks&)>& latency,
                                          double limit, std::size_t probes);

}  // namespace ffconv::lowrank
