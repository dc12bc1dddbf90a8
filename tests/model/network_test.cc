#include "ffconv/model/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/random_network.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::error_of;
using ::ffconv::testing::random_image;
using ::ffconv::testing::random_network;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ForEachWeight, VisitsExactlyTheProductsOfEveryLayer) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Network network = random_network(seed, ffconv::testing::Activations::kQuadratic);
    for (const Layer& layer : network.layers) {
      const auto* linear = std::get_if<Linear>(&layer);
      if (linear == nullptr) {
        continue;
      }
      SCOPED_TRACE(::testing::Message() << "seed " << seed << ", layer " << linear->name);
      const std::vector<double> x = random_image(linear->in, seed);
      const std::vector<double> expected = run_linear(*linear, x);
      std::vector<double> y = linear->bias;
      std::size_t last = 0;
      for_each_weight(*linear, [&](std::size_t out, std::size_t in, double weight) {
        ASSERT_LT(out, y.size());
        ASSERT_LT(in, x.size());
        ASSERT_GE(out, last);
        last = out;
        y[out] += weight * x[in];
      });
      for (std::size_t o = 0; o < y.size(); ++o) {
        ASSERT_NEAR(y[o], expected[o], 1e-9) << "output " << o;
      }
    }
  }
}

TEST(ForEachWeight, LeavesPaddingOut) {
  Linear linear;
  linear.in = linear.out = Shape{{1, 1, 2}};
  linear.map = Convolution{{{1, 3}, {1, 1}, {1, 1}, {0, 1, 0, 1}, 1}, {5, 6, 7}};
  std::vector<std::array<double, 3>> entries;
  for_each_weight(linear, [&](std::size_t out, std::size_t in, double weight) {
    entries.push_back({static_cast<double>(out), static_cast<double>(in), weight});
  });
  EXPECT_THAT(entries, ElementsAre(ElementsAre(0, 0, 6), ElementsAre(0, 1, 7), ElementsAre(1, 0, 5),
                                   ElementsAre(1, 1, 6)));
}

TEST(RandomNetwork, CoversWhatItPromises) {
  bool stride = false, pad_asymmetric = false, group = false, dilation = false,
       three_layers = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Network network = random_network(seed);
    three_layers = three_layers || network.layers.size() == 5;
    for (const Layer& layer : network.layers) {
      const auto* linear = std::get_if<Linear>(&layer);
      const Convolution* conv = linear == nullptr ? nullptr : linear->convolution();
      if (conv != nullptr) {
        const ConvGeometry& g = conv->geometry;
        stride = stride || g.strides[0] != g.strides[1];
        pad_asymmetric = pad_asymmetric || g.pads[0] != g.pads[2];
        group = group || g.groups > 1;
        dilation = dilation || g.dilations[0] > 1;
      }
    }
    const auto scores = run_float(network, random_image(network.input, seed));
    EXPECT_EQ(scores.size(), network.classes);
    for (const double score : scores) {
      EXPECT_LT(std::abs(score), 1000) << "seed " << seed;
    }
  }
  EXPECT_TRUE(stride && pad_asymmetric && group && dilation && three_layers);
}

TEST(Network, RefusesAnImageOfAnotherSize) {
  const Network network = random_network(1);
  const std::vector<double> image(network.input.size() + 1);
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [&] { run_float(network, image); }),
              HasSubstr("elements, got"));
}

}  // namespace
}  // namespace ffconv::model
