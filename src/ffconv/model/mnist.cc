#include <array>

#include <fmt/format.h>

#include "ffconv/model/dataset.h"
#include "ffconv/model/published.h"

namespace ffconv::model {
namespace {

constexpr std::string_view kAddress = "http://yann.lecun.com/exdb/mnist/";
constexpr std::array<PublishedFile, 4> kFiles{{
    {"train-images-idx3-ubyte", 47040016,
     "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
    {"train-labels-idx1-ubyte", 60008,
     "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
    {"t10k-images-idx3-ubyte", 7840016,
     "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
    {"t10k-labels-idx1-ubyte", 10008,
     "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
}};
// Of their gzipped forms, as published.
constexpr std::array<std::string_view, 4> kPackedSums{
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"};

}  // namespace

std::string where_to_get_mnist() {
  std::string text = "Put these files there, from ";
  text += kAddress;
  for (std::size_t k = 0; k < kFiles.size(); ++k) {
    text += fmt::format("\n  {}.gz  sha256 {}", kFiles[k].name, kPackedSums[k]);
  }
  return text;
}

Dataset load_mnist(const std::filesystem::path& directory, Split split) {
  const std::size_t first = split == Split::kTrain ? 0 : 2;
  const auto images = read_published(directory, kFiles[first], where_to_get_mnist());
  const auto labels = read_published(directory, kFiles[first + 1], where_to_get_mnist());
  return parse_idx(images, labels, 10, directory.string());
}

}  // namespace ffconv::model
