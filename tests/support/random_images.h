// Seeded data sets for tests.
#pragma once

#include <cstdint>
#include <random>

#include "ffconv/model/dataset.h"

namespace ffconv::testing {

// Pixels and labels below `classes`, all drawn evenly.
inline model::Dataset random_images(const model::Shape& shape, std::size_t count, int classes,
                                    std::uint64_t seed) {
  std::mt19937_64 random(seed);
  model::Dataset data{shape, classes, {}, {}, {}};
  for (int k = 0; k < classes; ++k) {
    data.class_names.push_back(std::to_string(k));
  }
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < shape.size(); ++k) {
      data.pixels.push_back(static_cast<std::uint8_t>(random() >> 56));
    }
    data.labels.push_back(
        static_cast<std::uint8_t>(random() % static_cast<std::uint64_t>(classes)));
  }
  return data;
}

}  // namespace ffconv::testing
