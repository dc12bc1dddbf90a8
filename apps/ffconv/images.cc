#include "images.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

#include "ffconv/base/error.h"
#include "ffconv/model/image.h"

namespace ffconv::cli {
namespace {

namespace fs = std::filesystem;

// Every image file of the directory, in the order of their names, without labels.
model::Dataset load_unlabelled(const fs::path& directory, const model::Shape& shape) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string extension = entry.path().extension().string();
    for (const std::string_view known : {".png", ".pgm", ".ppm", ".jpg", ".jpeg"}) {
      if (extension == known) {
        files.push_back(entry.path());
      }
    }
  }
  std::ranges::sort(files);
  model::Dataset data{.shape = shape,
                      .classes = 1,
                      .class_names = {"any"},
                      .pixels = {},
                      .labels = std::vector<std::uint8_t>(files.size())};
  for (const fs::path& file : files) {
    for (const double pixel : model::load_image(file, shape)) {
      data.pixels.push_back(static_cast<std::uint8_t>(pixel));
    }
  }
  return data;
}

// {"mnist", 17} of "mnist:17"; nullopt unless that begins with the name of a data set.
std::optional<std::pair<std::string, std::size_t>> numbered_image(const std::string& source) {
  const std::size_t colon = source.find(':');
  const std::string name = source.substr(0, colon);
  if (colon == std::string::npos || !model::is_published(name)) {
    return std::nullopt;
  }
  const std::string_view number = std::string_view(source).substr(colon + 1);
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(number.begin(), number.end(), index);
  if (error != std::errc() || end != number.end()) {
    fail(ErrorCode::kInvalidArgument, "{}: expected the number of a test image, as in {}:17",
         source, name);
  }
  return std::pair(name, index);
}

}  // namespace

model::Dataset load_images(const std::string& source, model::Split split,
                           const model::Shape& shape) {
  model::Dataset data = model::is_published(source) ? model::load_published(source, split)
                                                    : model::load_samples(source);
  if (data.shape != shape) {
    fail(ErrorCode::kMismatch, "{}: the network takes images of {}, these have {}", source,
         to_string(shape), to_string(data.shape));
  }
  return data;
}

model::Dataset load_calibration_images(const std::string& source, const model::Shape& shape) {
  if (!model::is_published(source) && fs::is_directory(source) &&
      !fs::exists(fs::path(source) / "labels.json")) {
    return load_unlabelled(source, shape);
  }
  return load_images(source, model::Split::kTrain, shape);
}

std::vector<double> load_pixels(const std::string& source, const model::Shape& shape) {
  const auto numbered = numbered_image(source);
  if (!numbered) {
    return model::load_image(source, shape);
  }
  const auto& [name, index] = *numbered;
  const model::Dataset data = load_images(name, model::Split::kTest, shape);
  if (index >= data.size()) {
    fail(ErrorCode::kInvalidArgument, "{}: expected a number below {}, got {}", source, data.size(),
         index);
  }
  return data.image(index);
}

}  // namespace ffconv::cli
