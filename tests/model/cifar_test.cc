#include "ffconv/model/cifar.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lzma.h>

#include "ffconv/model/published.h"
#include "support/error_of.h"
#include "support/temporary_directory.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::error_of;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kRecord = 3073;

// Two records of the labels 9 and 3; every byte of a plane is its number.
Bytes two_records() {
  Bytes file;
  for (const std::uint8_t label : Bytes{9, 3}) {
    file.push_back(label);
    for (const std::uint8_t plane : Bytes{10, 20, 30}) {
      file.insert(file.end(), 1024, static_cast<std::uint8_t>(plane + label));
    }
  }
  return file;
}

Bytes xz(const Bytes& bytes) {
  Bytes packed(lzma_stream_buffer_bound(bytes.size()));
  std::size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, nullptr, bytes.data(), bytes.size(),
                                    packed.data(), &size, packed.size()),
            LZMA_OK);
  packed.resize(size);
  return packed;
}

class CifarTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const Bytes& bytes) const {
    std::ofstream(folder() / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  const std::filesystem::path& folder() const { return directory_.path(); }

 private:
  const ffconv::testing::TemporaryDirectory directory_;
};

TEST(AppendCifar10, ReadsLabelsAndPlanes) {
  Dataset data;
  append_cifar10(two_records(), "tiny", data);
  append_cifar10(two_records(), "tiny", data);
  EXPECT_EQ(data.shape, (Shape{{3, 32, 32}}));
  EXPECT_EQ(data.labels, (Bytes{9, 3, 9, 3}));
  EXPECT_EQ(data.class_names.at(9), "truck");
  const std::vector<double> image = data.image(3);
  ASSERT_EQ(image.size(), 3072u);
  for (std::size_t plane = 0; plane < 3; ++plane) {
    const std::span pixels = std::span(image).subspan(1024 * plane, 1024);
    EXPECT_THAT(std::vector(pixels.begin(), pixels.end()),
                Each(static_cast<double>(13 + 10 * plane)));
  }
}

TEST(AppendCifar10, RefusesBrokenRecordsAndForeignLabels) {
  const Bytes file = two_records();
  Dataset data;
  for (const std::size_t size : {std::size_t{0}, kRecord - 1, 2 * kRecord - 1}) {
    EXPECT_THAT(error_of(ErrorCode::kFormat,
                         [&] { append_cifar10(std::span(file).first(size), "tiny", data); }),
                HasSubstr("tiny: expected records of 3073 bytes"));
  }
  Bytes foreign = file;
  foreign[kRecord] = 10;
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { append_cifar10(foreign, "tiny", data); }),
              HasSubstr("record 1: expected a label below 10, got 10"));
}

TEST_F(CifarTest, MissingFilesAreNamedWithWhereToGetThem) {
  EXPECT_THAT(error_of(ErrorCode::kIo, [&] { load_cifar10(folder(), Split::kTest); }),
              AllOf(HasSubstr("test_batch.bin: not there"), HasSubstr("cifar-10-binary.tar.gz"),
                    HasSubstr("8e2eb146ae34")));
}

TEST_F(CifarTest, FilesOfTheRightLengthAreRefusedByTheirSum) {
  std::filesystem::create_directory(folder() / "cifar-10-batches-bin");
  write("cifar-10-batches-bin/test_batch.bin", Bytes(30730000));
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { load_cifar10(folder(), Split::kTest); }),
              AllOf(HasSubstr("cifar-10-batches-bin"), HasSubstr("not the published file")));
}

// "abc" and its SHA-256 of FIPS 180-2.
constexpr PublishedFile kAbc{"abc", 3,
                             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"};

TEST_F(CifarTest, PublishedFilesAreReadWholeOrPacked) {
  const Bytes abc{'a', 'b', 'c'};
  write("abc", abc);
  EXPECT_EQ(read_published(folder(), kAbc, ""), abc);
  std::filesystem::remove(folder() / "abc");
  write("abc.xz", xz(abc));
  EXPECT_EQ(read_published(folder(), kAbc, ""), abc);
  // A packed file comes first; gzread takes one that is not packed.
  write("abc.gz", abc);
  write("abc.xz", Bytes{1});
  EXPECT_EQ(read_published(folder(), kAbc, ""), abc);
}

TEST_F(CifarTest, PackedFilesThatAreDamagedOrUnpackToMoreAreRefused) {
  const Bytes good = xz({'a', 'b', 'c'});
  const auto refuse = [&](const Bytes& packed) {
    write("abc.xz", packed);
    EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { read_published(folder(), kAbc, ""); }),
                HasSubstr("abc.xz: not the published file"));
  };
  for (std::size_t size = 0; size < good.size(); ++size) {
    refuse(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  Bytes longer = good;
  longer.push_back(0);
  refuse(longer);
  refuse(xz({'a', 'b', 'd'}));
  refuse(xz(Bytes(std::size_t{1} << 26)));  // 64 MB from a few thousand bytes
}

TEST(SlowCifar10, ThePublishedFilesHoldTheClassesInEqualNumbers) {
  std::filesystem::path folder;
  try {
    folder = find_data("cifar10");
  } catch (const Error&) {
    GTEST_SKIP() << "CIFAR-10 is not on this machine";
  }
  for (const auto& [split, size] : {std::pair(Split::kTrain, 50000u), {Split::kTest, 10000u}}) {
    const Dataset data = load_cifar10(folder, split);
    ASSERT_EQ(data.size(), size);
    EXPECT_EQ(data.pixels.size(), size * 3072);
    std::vector<unsigned> count(10);
    for (const std::uint8_t label : data.labels) {
      ++count.at(label);
    }
    EXPECT_THAT(count, Each(size / 10));
  }
}

}  // namespace
}  // namespace ffconv::model
