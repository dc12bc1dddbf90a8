#include "ffconv/model/cifar.h"

#include <array>

#include <fmt/format.h>

#include "ffconv/base/error.h"
#include "ffconv/model/published.h"

namespace ffconv::model {
namespace {

constexpr std::size_t kPixels = 3 * 32 * 32;
constexpr std::size_t kRecord = 1 + kPixels;
constexpr std::size_t kFileBytes = 10000 * kRecord;
constexpr std::array<const char*, 10> kClassNames{
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};

// The sums of the files in the official archive.
constexpr std::array<PublishedFile, 6> kFiles{{
    {"data_batch_1.bin", kFileBytes,
     "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
    {"data_batch_2.bin", kFileBytes,
     "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
    {"data_batch_3.bin", kFileBytes,
     "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
    {"data_batch_4.bin", kFileBytes,
     "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
    {"data_batch_5.bin", kFileBytes,
     "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
    {"test_batch.bin", kFileBytes,
     "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"},
}};

}  // namespace

std::string where_to_get_cifar10() {
  std::string text =
      "Unpack https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz there (md5 "
      "c32a1d4ab5d03f1284b67883e8d87530); it holds";
  for (const PublishedFile& file : kFiles) {
    text += fmt::format("\n  {}  sha256 {}", file.name, file.sha256);
  }
  return text;
}

void append_cifar10(std::span<const std::uint8_t> file, const std::string& what, Dataset& data) {
  if (file.empty() || file.size() % kRecord != 0) {
    fail(ErrorCode::kFormat, "{}: expected records of {} bytes, got a file of {}", what, kRecord,
         file.size());
  }
  data.shape = Shape{{3, 32, 32}};
  data.classes = static_cast<int>(kClassNames.size());
  data.class_names.assign(kClassNames.begin(), kClassNames.end());
  for (std::size_t first = 0; first < file.size(); first += kRecord) {
    const std::uint8_t label = file[first];
    if (label >= kClassNames.size()) {
      fail(ErrorCode::kFormat, "{}: record {}: expected a label below {}, got {}", what,
           first / kRecord, kClassNames.size(), label);
    }
    const auto pixels = file.subspan(first + 1, kPixels);
    data.labels.push_back(label);
    data.pixels.insert(data.pixels.end(), pixels.begin(), pixels.end());
  }
}

Dataset load_cifar10(const std::filesystem::path& directory, Split split) {
  constexpr const char* kArchiveFolder = "cifar-10-batches-bin";
  const std::filesystem::path folder = std::filesystem::is_directory(directory / kArchiveFolder)
                                           ? directory / kArchiveFolder
                                           : directory;
  const std::span files(kFiles);
  Dataset data;
  for (const PublishedFile& file : split == Split::kTrain ? files.first(5) : files.last(1)) {
    append_cifar10(read_published(folder, file, where_to_get_cifar10()), std::string(file.name),
                   data);
  }
  return data;
}

}  // namespace ffconv::model
