// A network's scores over a data set, and how two ways to compute them compare.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "ffconv/base/progress.h"
#include "ffconv/model/dataset.h"
#include "format.h"

namespace ffconv::cli {

using Scores = std::vector<double>;  // one per class

// f(pixels, index) for the first `images` images, in parallel; f must be safe to call so.
std::vector<Scores> score_all(
    const model::Dataset& data, std::size_t images,
    const std::function<Scores(const std::vector<double>&, std::size_t)>& f,
    const Progress& progress);

std::size_t best_class(const Scores& scores);

// How many images' best class is their label.
std::size_t count_correct(const std::vector<Scores>& scores, const model::Dataset& data);

// An image that the network and its encrypted (or clear) run put into different classes.
struct Difference {
  std::size_t image = 0;
  std::size_t float_class = 0, other_class = 0;
  double float_score = 0, other_score = 0;  // of those classes
  double margin = 0;  // by how much the float network prefers its class over the other
};

struct Comparison {
  std::size_t agree = 0;
  double max_score_error = 0;
  std::vector<Difference> differences;
};
// Both have the same images.
Comparison compare(const std::vector<Scores>& reference, const std::vector<Scores>& others);

Json to_json(const Difference& difference, const std::vector<std::string>& class_names);
std::string differences_text(const Comparison& comparison,
                             const std::vector<std::string>& class_names);

// size() >= 1.
double median(std::vector<double> values);

}  // namespace ffconv::cli
