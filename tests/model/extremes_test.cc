#include "ffconv/model/extremes.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ffconv::model {
namespace {

using ::testing::Contains;
using ::testing::SizeIs;

std::set<std::vector<double>> all(const Dataset& data) {
  std::set<std::vector<double>> images;
  for (std::size_t i = 0; i < data.size(); ++i) {
    images.insert(data.image(i));
  }
  return images;
}

TEST(ExtremeImages, HaveBlackWhiteColoursAndBoards) {
  const auto images = all(extreme_images(Shape{{3, 1, 2}}));
  EXPECT_THAT(images, Contains(std::vector<double>(6, 0)));
  EXPECT_THAT(images, Contains(std::vector<double>(6, 255)));
  EXPECT_THAT(images, Contains(std::vector<double>{0, 0, 255, 255, 0, 0}));  // green
  EXPECT_THAT(images, Contains(std::vector<double>{0, 255, 0, 255, 0, 255}));
  EXPECT_THAT(images, Contains(std::vector<double>{255, 0, 255, 0, 255, 0}));
}

TEST(ExtremeImages, AreTheSameOnEveryCallAndNoiseDiffers) {
  const Shape shape{{1, 16, 16}};
  const Dataset data = extreme_images(shape);
  EXPECT_EQ(data.pixels, extreme_images(shape).pixels);
  EXPECT_EQ(data.size() * shape.size(), data.pixels.size());
  EXPECT_THAT(all(data), SizeIs(data.size()));
}

TEST(ExtremeImages, TakeFeaturesAsChannels) {
  const Dataset data = extreme_images(Shape{{5}});
  EXPECT_GT(data.size(), 100u);
  EXPECT_EQ(data.image(0).size(), 5u);
}

}  // namespace
}  // namespace ffconv::model
