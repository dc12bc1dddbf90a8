// Images as named on the command line: data sets, directories, single files.
#pragma once

#include <string>
#include <vector>

#include "ffconv/model/dataset.h"
#include "ffconv/model/shape.h"

namespace ffconv::cli {

// "mnist", "cifar10", or a directory with labels.json (model/dataset.h). Throws as those who load
// them, and kMismatch where the images do not have the shape that the network takes.
model::Dataset load_images(const std::string& source, model::Split split,
                           const model::Shape& shape);

// As load_images() of the training split; a directory may also hold images without any labels.
model::Dataset load_calibration_images(const std::string& source, const model::Shape& shape);

// The pixels of an image file, or of test image 17 for "mnist:17" or "cifar10:17".
std::vector<double> load_pixels(const std::string& source, const model::Shape& shape);

}  // namespace ffconv::cli
