// Every packing against the float executor, on the clear backend: random networks, several rings.
#include "ffconv/plan/packings.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ffconv/backend/clear.h"
#include "ffconv/plan/search.h"
#include "plan/networks.h"
#include "support/random_network.h"

namespace ffconv::plan {
namespace {

Program lower(Packing packing, const Lowering& lowering) {
  switch (packing) {
    case Packing::kDense:
      return lower_chain(lowering, dense_layouts(lowering));
    case Packing::kLola:
      return lower_lola(lowering);
    case Packing::kAuto:
      break;
  }
  const LayoutSearch search(lowering.network, lowering.ring.slot_count());
  return lower_chain(lowering, *search.best(lowering, {}));
}

// Runs `network` in a ring of 2^log_n slots, without noise: any secure ring would do the same.
void expect_correct(const model::Network& network, Packing packing, int log_n) {
  const Bounds bounds(network, testing::ranges_of(network), 1.5);
  const Program program =
      lower(packing, {network, bounds, default_cost_table(), {log_n, 1, 1}});
  const auto image = testing::random_image(network.input, 77);
  const auto expected = model::run_float(network, image);
  const auto got = backend::run_clear(program, image, network.classes);
  for (std::size_t k = 0; k < expected.size(); ++k) {
    ASSERT_NEAR(got[k], expected[k], 1e-9 * (1 + std::abs(expected[k])))
        << to_string(packing) << ", log_n " << log_n << ", class " << k;
  }
}

TEST(Packings, AgreeWithTheFloatExecutorOn200RandomNetworks) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("network seed " + std::to_string(seed));
    const model::Network network =
        testing::random_network(seed, seed % 2 == 0 ? testing::Activations::kSquare
                                                    : testing::Activations::kQuadratic);
    // From rings that take several ciphertexts a tensor to rings that hold many copies of it.
    const int log_n = 6 + static_cast<int>(seed % 6);
    for (const Packing packing : {Packing::kDense, Packing::kLola, Packing::kAuto}) {
      expect_correct(network, packing, log_n);
    }
  }
}

}  // namespace
}  // namespace ffconv::plan
