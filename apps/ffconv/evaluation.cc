#include "evaluation.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include <fmt/format.h>

#include "ffconv/base/parallel.h"
#include "terminal.h"

namespace ffconv::cli {

std::vector<Scores> score_all(
    const model::Dataset& data, std::size_t images,
    const std::function<Scores(const std::vector<double>&, std::size_t)>& f,
    const Progress& progress) {
  std::vector<Scores> scores(images);
  std::mutex reporting;
  std::size_t done = 0;
  parallel_for(images, [&](std::size_t i) {
    scores[i] = f(data.image(i), i);
    if (progress) {
      const std::lock_guard lock(reporting);
      progress("images", ++done, images);
    }
  });
  return scores;
}

std::size_t best_class(const Scores& scores) {
  return static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
}

std::size_t count_correct(const std::vector<Scores>& scores, const model::Dataset& data) {
  std::size_t correct = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    correct += best_class(scores[i]) == data.labels[i] ? 1 : 0;
  }
  return correct;
}

Comparison compare(const std::vector<Scores>& reference, const std::vector<Scores>& others) {
  Comparison result;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    for (std::size_t k = 0; k < reference[i].size(); ++k) {
      result.max_score_error =
          std::max(result.max_score_error, std::abs(reference[i][k] - others[i][k]));
    }
    const std::size_t expected = best_class(reference[i]), got = best_class(others[i]);
    if (expected == got) {
      ++result.agree;
    } else {
      result.differences.push_back({i, expected, got, reference[i][expected], others[i][got],
                                    reference[i][expected] - reference[i][got]});
    }
  }
  return result;
}

Json to_json(const Difference& difference, const std::vector<std::string>& class_names) {
  return {{"image", difference.image},
          {"float_class", class_names[difference.float_class]},
          {"float_score", difference.float_score},
          {"class", class_names[difference.other_class]},
          {"score", difference.other_score},
          {"margin", difference.margin}};
}

std::string differences_text(const Comparison& comparison,
                             const std::vector<std::string>& class_names) {
  if (comparison.differences.empty()) {
    return "no prediction differs from the float network's\n";
  }
  Table table({"image", "float", "score", "here", "score", "float margin"});
  for (const Difference& d : comparison.differences) {
    table.add_row({std::to_string(d.image), printable(class_names[d.float_class], 16),
                   fmt::format("{:.6g}", d.float_score), printable(class_names[d.other_class], 16),
                   fmt::format("{:.6g}", d.other_score), fmt::format("{:.3g}", d.margin)});
  }
  return fmt::format("{} predictions differ from the float network's:\n{}",
                     comparison.differences.size(), table.text());
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace ffconv::cli
