#include "ffconv/model/work.h"

#include <gtest/gtest.h>

#include "ffconv/model/normalize.h"
#include "support/onnx_builder.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::Dims;
using ::ffconv::testing::OnnxBuilder;

// 6 channels of 5 x 5 -> 4 channels of 3 x 3 in two groups -> 2 scores.
Graph small_network() {
  OnnxBuilder builder({6, 5, 5});
  const std::string weights = builder.constant({4, 3, 3, 3}, std::vector(4 * 27, 0.5));
  std::string x = builder.node("Conv", {"image", weights}, {{"group", std::int64_t{2}}});
  x = builder.node("Mul", {x, x});
  x = builder.node("Flatten", {x});
  const std::string matrix = builder.constant({36, 2}, std::vector(72, 0.25));
  return builder.import(builder.node("MatMul", {x, matrix}));
}

TEST(Work, IsOneHmaAWeightAndOneMacAWeightAndPosition) {
  const Graph graph = small_network();
  const Work conv = work_of(graph, graph.nodes[0]);
  EXPECT_EQ(conv.hma, 3u * 3 * (6 / 2) * 4);
  EXPECT_EQ(conv.mac, conv.hma * 9);
  EXPECT_EQ(work_of(graph, graph.nodes[1]).hma, 0u);
  EXPECT_EQ(work_of(graph).hma, 108u + 72);
  EXPECT_EQ(work_of(graph).mac, 108u * 9 + 72);
}

TEST(Work, IsThatOfTheNormalizedLayers) {
  const Graph graph = small_network();
  Work total;
  for (const Layer& layer : normalize(graph).layers) {
    if (const auto* linear = std::get_if<Linear>(&layer)) {
      total.hma += work_of(*linear).hma;
      total.mac += work_of(*linear).mac;
    }
  }
  EXPECT_EQ(total.hma, work_of(graph).hma);
  EXPECT_EQ(total.mac, work_of(graph).mac);
}

TEST(Work, OfADiagonalIsOneHmaAChannel) {
  const Shape shape{{3, 4, 5}};
  const Work work = work_of(Linear{"scale", shape, shape, {}, Diagonal{std::vector(60, 2.0)}, {}});
  EXPECT_EQ(work.hma, 3u);
  EXPECT_EQ(work.mac, 60u);
}

}  // namespace
}  // namespace ffconv::model
