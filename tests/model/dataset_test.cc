#include "ffconv/model/dataset.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/model/image.h"
#include "support/error_of.h"
#include "support/temporary_directory.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::error_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Bytes = std::vector<std::uint8_t>;

class DatasetTest : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }

  const ffconv::testing::TemporaryDirectory directory_;
  const std::filesystem::path folder_ = directory_.path();
};

// Two images of 1 x 2 pixels with the labels 1 and 0.
const Bytes kImages{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 255};
const Bytes kLabels{0, 0, 8, 1, 0, 0, 0, 2, 1, 0};

TEST(ParseIdx, ReadsImagesAndLabels) {
  const Dataset data = parse_idx(kImages, kLabels, 2, "tiny");
  EXPECT_EQ(data.shape, (Shape{{1, 1, 2}}));
  EXPECT_EQ(data.size(), 2u);
  EXPECT_THAT(data.class_names, ElementsAre("0", "1"));
  EXPECT_THAT(data.labels, ElementsAre(1, 0));
  EXPECT_THAT(data.image(0), ElementsAre(10, 20));
  EXPECT_THAT(data.image(1), ElementsAre(30, 255));
}

TEST(ParseIdx, RefusesEveryTruncation) {
  for (std::size_t size = 0; size < kImages.size(); ++size) {
    error_of(ErrorCode::kFormat,
             [&] { parse_idx(std::span(kImages).first(size), kLabels, 2, "tiny"); });
  }
  for (std::size_t size = 0; size < kLabels.size(); ++size) {
    error_of(ErrorCode::kFormat,
             [&] { parse_idx(kImages, std::span(kLabels).first(size), 2, "tiny"); });
  }
}

TEST(ParseIdx, RefusesWrongMagicExtentsAndLabels) {
  const auto error = [](Bytes images, Bytes labels) {
    return error_of(ErrorCode::kFormat, [&] { parse_idx(images, labels, 2, "tiny"); });
  };
  const auto with = [](Bytes bytes, std::size_t index, std::uint8_t value) {
    bytes.at(index) = value;
    return bytes;
  };
  EXPECT_THAT(error(with(kImages, 2, 9), kLabels), HasSubstr("IDX"));
  EXPECT_THAT(error(kImages, with(kLabels, 3, 3)), HasSubstr("IDX"));
  EXPECT_THAT(error(with(kImages, 4, 255), kLabels), HasSubstr("do not fit"));
  EXPECT_THAT(error(with(kImages, 8, 255), kLabels), HasSubstr("do not fit"));
  EXPECT_THAT(error(with(kImages, 11, 0), kLabels), HasSubstr("do not fit"));
  EXPECT_THAT(error(kImages, with(kLabels, 7, 3)), HasSubstr("labels"));
  EXPECT_THAT(error(kImages, with(kLabels, 9, 2)), HasSubstr("below 2"));
}

TEST_F(DatasetTest, LoadMnistNamesWhereToGetMissingFiles) {
  EXPECT_THAT(error_of(ErrorCode::kIo, [&] { load_mnist(folder_, Split::kTest); }),
              AllOf(HasSubstr("yann.lecun.com/exdb/mnist"), HasSubstr("8d422c7b0a1c")));
}

TEST_F(DatasetTest, LoadMnistRefusesOtherFiles) {
  write("t10k-images-idx3-ubyte", std::string(kImages.begin(), kImages.end()));
  write("t10k-labels-idx1-ubyte", std::string(kLabels.begin(), kLabels.end()));
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { load_mnist(folder_, Split::kTest); }),
              HasSubstr("not the published file"));
  // The right length alone does not do.
  write("t10k-images-idx3-ubyte", std::string(7840016, '\0'));
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { load_mnist(folder_, Split::kTest); }),
              HasSubstr("sha256"));
}

TEST_F(DatasetTest, FindDataLooksInTheVariableFirst) {
  std::filesystem::create_directories(folder_ / "mnist");
  const char* before = std::getenv("FFCONV_DATA");
  const std::string saved = before == nullptr ? "" : before;
  ASSERT_EQ(setenv("FFCONV_DATA", folder_.c_str(), 1), 0);
  EXPECT_EQ(find_data("mnist"), folder_ / "mnist");
  ASSERT_EQ(before == nullptr ? unsetenv("FFCONV_DATA") : setenv("FFCONV_DATA", saved.c_str(), 1),
            0);
}

TEST(FindData, RefusesUnknownNames) {
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [] { find_data("imagenet"); }),
              HasSubstr("imagenet"));
}

TEST(LoadSamples, ReadsTheDigitsOfTheRepository) {
  const Dataset data = load_samples(std::filesystem::path(FFCONV_SOURCE_DIR) / "samples/mnist");
  EXPECT_EQ(data.shape, (Shape{{1, 28, 28}}));
  EXPECT_EQ(data.classes, 10);
  ASSERT_EQ(data.size(), 50u);
  std::vector<int> count(10);
  for (const std::uint8_t label : data.labels) {
    ++count.at(label);
  }
  EXPECT_EQ(count, std::vector<int>(10, 5));
}

TEST_F(DatasetTest, LoadSamplesRefusesListsThatDoNotHold) {
  write("a.pgm", std::string("P5 2 1 255\n") + "\x01\xff");
  write("b.pgm", std::string("P5 1 1 255\n") + "\x01");
  const auto error = [&](const std::string& json, ErrorCode code) {
    write("labels.json", json);
    return error_of(code, [&] { load_samples(folder_); });
  };
  const auto format = ErrorCode::kFormat;
  EXPECT_THAT(error("nonsense", format), HasSubstr("'classes'"));
  EXPECT_THAT(error(R"({"classes": [], "images": []})", format), HasSubstr("classes"));
  EXPECT_THAT(error(R"({"classes": ["x"], "images": []})", format), HasSubstr("no images"));
  EXPECT_THAT(error(R"({"classes": ["x"], "images": [{"file": "a.pgm", "label": 1}]})", format),
              HasSubstr("below 1"));
  EXPECT_THAT(error(R"({"classes": ["x"], "images": [{"file": "a.pgm", "label": -1}]})", format),
              HasSubstr("'label'"));
  EXPECT_THAT(error(R"({"classes": ["x"], "images": [{"file": "../a.pgm", "label": 0}]})", format),
              HasSubstr("beside it"));
  EXPECT_THAT(
      error(R"({"classes": ["x"], "images": [{"file": "c.pgm", "label": 0}]})", ErrorCode::kIo),
      HasSubstr("c.pgm"));
  EXPECT_THAT(error(R"({"classes": ["x"], "images": [{"file": "a.pgm", "label": 0},
                                                     {"file": "b.pgm", "label": 0}]})",
                    format),
              HasSubstr("b.pgm: expected 1x1x2"));
  write("labels.json", R"({"classes": ["x"], "images": [{"file": "a.pgm", "label": 0}]})");
  EXPECT_THAT(load_samples(folder_).image(0), ElementsAre(1, 255));
}

TEST_F(DatasetTest, LoadImageReadsGreyAndColour) {
  const auto grey = write("grey.pgm", std::string("P5 2 1 255\n") + "\x01\xff");
  EXPECT_THAT(load_image(grey, Shape{{1, 1, 2}}), ElementsAre(1, 255));
  const auto colour = write("colour.ppm", "P6 2 1 255\nRGBrgb");
  EXPECT_THAT(load_image(colour, Shape{{3, 1, 2}}), ElementsAre('R', 'r', 'G', 'g', 'B', 'b'));
}

TEST_F(DatasetTest, LoadImageRefusesAnotherShapeNamingBoth) {
  const auto grey = write("grey.pgm", std::string("P5 2 1 255\n") + "\x01\xff");
  EXPECT_THAT(error_of(ErrorCode::kMismatch,
                       [&] {
                         load_image(grey, Shape{{1, 28, 28}});
                       }),
              AllOf(HasSubstr("1x28x28"), HasSubstr("1x1x2")));
  EXPECT_THAT(error_of(ErrorCode::kMismatch,
                       [&] {
                         load_image(grey, Shape{{3, 1, 2}});
                       }),
              HasSubstr("3x1x2"));
}

TEST_F(DatasetTest, LoadImageRefusesDamagedFiles) {
  const Shape shape{{1, 1, 2}};
  error_of(ErrorCode::kIo, [&] { load_image(folder_ / "none.png", shape); });
  error_of(ErrorCode::kIo, [&] { load_image(folder_, shape); });
  EXPECT_THAT(
      error_of(ErrorCode::kFormat, [&] { load_image(write("text.png", "not an image"), shape); }),
      HasSubstr("not a PNG"));
  error_of(ErrorCode::kFormat, [&] { load_image(write("empty.png", ""), shape); });
  EXPECT_THAT(error_of(ErrorCode::kFormat,
                       [&] { load_image(write("short.pgm", "P5 2 1 255\n\x01"), shape); }),
              HasSubstr("damaged"));
  const std::string deep = std::string("P5 2 1 65535\n") + std::string(4, '\x01');
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { load_image(write("deep.pgm", deep), shape); }),
              HasSubstr("16"));
  EXPECT_THAT(error_of(ErrorCode::kFormat,
                       [&] { load_image(write("huge.pgm", "P5 16000 16000 255\n"), shape); }),
              HasSubstr("at most"));
}

}  // namespace
}  // namespace ffconv::model
