#include <array>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <sodium.h>
#include <zlib.h>

#include "ffconv/base/error.h"
#include "ffconv/base/random.h"
#include "ffconv/model/dataset.h"

namespace ffconv::model {
namespace {

// The official files. Sums are of the unpacked contents, whose gzipped forms have the published
// sums in MnistFile::packed_sha256.
struct MnistFile {
  std::string_view name;
  std::size_t bytes;
  std::string_view sha256;
  std::string_view packed_sha256;
};

constexpr std::string_view kAddress = "http://yann.lecun.com/exdb/mnist/";
constexpr std::array<MnistFile, 4> kFiles{{
    {"train-images-idx3-ubyte", 47040016,
     "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
     "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
    {"train-labels-idx1-ubyte", 60008,
     "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
     "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
    {"t10k-images-idx3-ubyte", 7840016,
     "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
     "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
    {"t10k-labels-idx1-ubyte", 10008,
     "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
     "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
}};

std::string where_to_get_it() {
  std::string text = "Put these files there, from ";
  text += kAddress;
  for (const MnistFile& file : kFiles) {
    text += fmt::format("\n  {}.gz  sha256 {}", file.name, file.packed_sha256);
  }
  return text;
}

std::string sha256(std::span<const std::uint8_t> bytes) {
  ensure_sodium();
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> sum;
  crypto_hash_sha256(sum.data(), bytes.data(), bytes.size());
  std::string text;
  for (const std::uint8_t byte : sum) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

// The contents of NAME.gz, or of NAME where that is not there.
std::vector<std::uint8_t> read_published(const std::filesystem::path& directory,
                                         const MnistFile& file) {
  std::filesystem::path path = directory / (std::string(file.name) + ".gz");
  if (!std::filesystem::exists(path)) {
    path = directory / file.name;
  }
  // gzread hands unpacked files through.
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> stream(gzopen(path.c_str(), "rb"), gzclose);
  if (stream == nullptr) {
    fail(ErrorCode::kIo, "{}: cannot be read. {}", path.string(), where_to_get_it());
  }
  std::vector<std::uint8_t> bytes(file.bytes);
  const auto wanted = static_cast<unsigned>(bytes.size());
  char beyond = 0;
  const bool complete = gzread(stream.get(), bytes.data(), wanted) == static_cast<int>(wanted) &&
                        gzread(stream.get(), &beyond, 1) == 0;
  if (!complete || sha256(bytes) != file.sha256) {
    fail(ErrorCode::kFormat, "{}: not the published file (expected {} bytes, sha256 {} unpacked)",
         path.string(), file.bytes, file.sha256);
  }
  return bytes;
}

}  // namespace

Dataset load_mnist(const std::filesystem::path& directory, Split split) {
  const std::size_t first = split == Split::kTrain ? 0 : 2;
  const auto images = read_published(directory, kFiles[first]);
  const auto labels = read_published(directory, kFiles[first + 1]);
  return parse_idx(images, labels, 10, directory.string());
}

std::filesystem::path find_data(const std::string& name) {
  if (name != "mnist") {
    fail(ErrorCode::kInvalidArgument, "unknown data set '{}'; known: mnist", name);
  }
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
       searched, where_to_get_it());
}

}  // namespace ffconv::model
