#include "ffconv/model/dataset.h"

#include <array>
#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ffconv/base/error.h"
#include "ffconv/model/cifar.h"
#include "ffconv/model/image.h"
#include "ffconv/model/quote.h"
#include "ffconv/model/read_file.h"

namespace ffconv::model {
namespace {

constexpr std::uint32_t kIdxImages = 0x0803;  // unsigned bytes in three dimensions
constexpr std::uint32_t kIdxLabels = 0x0801;  // unsigned bytes in one dimension
constexpr std::size_t kMaxExtent = 4096;

// The k-th 32-bit big-endian word of an IDX header.
std::uint32_t header_word(std::span<const std::uint8_t> file, std::size_t k) {
  std::uint32_t word = 0;
  for (const std::uint8_t byte : file.subspan(4 * k, 4)) {
    word = word << 8 | byte;
  }
  return word;
}

// A field of labels.json, of that JSON type.
const nlohmann::json& field(const nlohmann::json& object, const char* key,
                            nlohmann::json::value_t type, const std::string& what) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end() || found->type() != type) {
    fail(ErrorCode::kFormat, "{}: field {} is missing or of the wrong type", what, quote(key));
  }
  return *found;
}

// The image files and labels that labels.json lists, checked.
std::vector<std::pair<std::string, std::size_t>> read_list(const nlohmann::json& json,
                                                           std::size_t classes,
                                                           const std::string& what) {
  using Type = nlohmann::json::value_t;
  std::vector<std::pair<std::string, std::size_t>> list;
  for (const auto& entry : field(json, "images", Type::array, what)) {
    const auto file = field(entry, "file", Type::string, what).get<std::string>();
    const auto label = field(entry, "label", Type::number_unsigned, what).get<std::size_t>();
    if (file.empty() || file == "." || file == ".." || file.find('/') != std::string::npos ||
        label >= classes) {
      fail(ErrorCode::kFormat,
           "{}: {} with label {}: expected a file beside it and a label below {}", what,
           quote(file), label, classes);
    }
    list.emplace_back(file, label);
  }
  if (list.empty()) {
    fail(ErrorCode::kFormat, "{}: no images", what);
  }
  return list;
}

struct PublishedSet {
  const char* name;
  Dataset (*load)(const std::filesystem::path& directory, Split split);
  std::string (*where_to_get_it)();
};
constexpr std::array<PublishedSet, 2> kPublishedSets{{
    {"mnist", load_mnist, where_to_get_mnist},
    {"cifar10", load_cifar10, where_to_get_cifar10},
}};

// nullptr for an unknown name.
const PublishedSet* find_published(const std::string& name) {
  for (const PublishedSet& set : kPublishedSets) {
    if (set.name == name) {
      return &set;
    }
  }
  return nullptr;
}

// Throws kInvalidArgument for an unknown name.
const PublishedSet& published_set(const std::string& name) {
  const PublishedSet* set = find_published(name);
  if (set == nullptr) {
    fail(ErrorCode::kInvalidArgument, "unknown data set '{}'; known: mnist, cifar10", name);
  }
  return *set;
}

}  // namespace

bool is_published(const std::string& name) {
  return find_published(name) != nullptr;
}

std::filesystem::path find_data(const std::string& name) {
  const PublishedSet& set = published_set(name);
  std::vector<std::filesystem::path> roots{"data", "../shared/data"};
  if (const char* variable = std::getenv("FFCONV_DATA"); variable != nullptr && *variable != '\0') {
    roots.insert(roots.begin(), variable);
  }
  std::string searched;
  for (const auto& root : roots) {
    std::error_code error;
    if (std::filesystem::is_directory(root / name, error)) {
      return root / name;
    }
    searched += fmt::format("{}{}", searched.empty() ? "" : ", ", (root / name).string());
  }
  fail(ErrorCode::kIo, "the data set '{}' is not in {} ($FFCONV_DATA comes first). {}", name,
       searched, set.where_to_get_it());
}

Dataset load_published(const std::string& name, Split split) {
  return published_set(name).load(find_data(name), split);
}

std::vector<double> Dataset::image(std::size_t index) const {
  const auto first = pixels.begin() + static_cast<std::ptrdiff_t>(index * shape.size());
  return {first, first + static_cast<std::ptrdiff_t>(shape.size())};
}

Dataset parse_idx(std::span<const std::uint8_t> images, std::span<const std::uint8_t> labels,
                  int classes, const std::string& what) {
  constexpr std::size_t kImagesHeader = 16;
  constexpr std::size_t kLabelsHeader = 8;
  if (images.size() < kImagesHeader || header_word(images, 0) != kIdxImages ||
      labels.size() < kLabelsHeader || header_word(labels, 0) != kIdxLabels) {
    fail(ErrorCode::kFormat, "{}: expected IDX files of 8-bit images and labels", what);
  }
  const std::size_t count = header_word(images, 1);
  const std::size_t rows = header_word(images, 2);
  const std::size_t columns = header_word(images, 3);
  if (rows < 1 || rows > kMaxExtent || columns < 1 || columns > kMaxExtent ||
      images.size() - kImagesHeader != count * rows * columns) {
    fail(ErrorCode::kFormat, "{}: {} images of {} x {} do not fit a file of {} bytes", what, count,
         rows, columns, images.size());
  }
  if (header_word(labels, 1) != count || labels.size() - kLabelsHeader != count) {
    fail(ErrorCode::kFormat, "{}: expected {} labels, got {} in a file of {} bytes", what, count,
         header_word(labels, 1), labels.size());
  }
  Dataset data{{{1, rows, columns}}, classes, {}, {}, {}};
  for (int k = 0; k < classes; ++k) {
    data.class_names.push_back(std::to_string(k));
  }
  const auto pixel_bytes = images.subspan(kImagesHeader);
  const auto label_bytes = labels.subspan(kLabelsHeader);
  for (const std::uint8_t label : label_bytes) {
    if (label >= classes) {
      fail(ErrorCode::kFormat, "{}: expected labels below {}, got {}", what, classes, label);
    }
  }
  data.pixels.assign(pixel_bytes.begin(), pixel_bytes.end());
  data.labels.assign(label_bytes.begin(), label_bytes.end());
  return data;
}

Dataset load_samples(const std::filesystem::path& directory) {
  constexpr std::size_t kMaxJsonBytes = std::size_t{1} << 20;
  constexpr std::size_t kMaxClasses = 256;  // a label is a byte
  const std::filesystem::path path = directory / "labels.json";
  const std::string what = path.string();
  const auto json = nlohmann::json::parse(read_file(path, kMaxJsonBytes), nullptr, false);
  Dataset data;
  for (const auto& name : field(json, "classes", nlohmann::json::value_t::array, what)) {
    if (!name.is_string()) {
      fail(ErrorCode::kFormat, "{}: a class name is not text", what);
    }
    data.class_names.push_back(name.get<std::string>());
  }
  data.classes = static_cast<int>(data.class_names.size());
  if (data.classes < 1 || data.classes > static_cast<int>(kMaxClasses)) {
    fail(ErrorCode::kFormat, "{}: expected 1 to {} classes, got {}", what, kMaxClasses,
         data.classes);
  }
  for (const auto& [file, label] : read_list(json, data.class_names.size(), what)) {
    const Image image = read_image(directory / file);
    if (data.labels.empty()) {
      data.shape = image.shape;
    } else if (image.shape != data.shape) {
      fail(ErrorCode::kFormat, "{}: expected {} like the images before it, got {}",
           (directory / file).string(), to_string(data.shape), to_string(image.shape));
    }
    data.pixels.insert(data.pixels.end(), image.pixels.begin(), image.pixels.end());
    data.labels.push_back(static_cast<std::uint8_t>(label));
  }
  return data;
}

}  // namespace ffconv::model
