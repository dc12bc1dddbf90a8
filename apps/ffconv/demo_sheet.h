// What the demo shows at its end: the images with their scores, and the figures of the run.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ffconv/model/shape.h"
#include "plan_report.h"
#include "terminal.h"

namespace ffconv::cli {

struct DemoCell {
  std::vector<double> image;
  model::Shape shape;
  std::vector<std::string> class_names;
  std::vector<double> scores;  // one per class, rounded so that they may be shared
  // As labelled, decrypted, and found by the float network.
  std::size_t true_class = 0, predicted_class = 0, float_class = 0;
  double us = 0;  // of the evaluation
};

// As many cells side by side as `columns` hold, five at most.
std::string sheet_text(const std::vector<DemoCell>& cells, std::size_t columns, Colours colours);

std::string demo_summary(const PlanReport& report, const std::vector<DemoCell>& cells,
                         const std::vector<double>& times_us);

}  // namespace ffconv::cli
