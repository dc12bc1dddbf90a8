// Damaged and forged models: every one is read or refused with an Error, and none makes the
// importer allocate more than its size justifies.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "ffconv/base/error.h"
#include "ffconv/model/normalize.h"
#include "ffconv/model/onnx/import.h"
#include "support/onnx_builder.h"
#include "support/random_network.h"

namespace {

std::atomic<std::size_t> largest_allocation{0};

}  // namespace

// Every allocation of this binary, so that the largest is known. Not inlined: GCC 12 would take the
// pairs for mismatched ones.
[[gnu::noinline]] void* operator new(std::size_t size) {
  std::size_t largest = largest_allocation.load();
  while (size > largest && !largest_allocation.compare_exchange_weak(largest, size)) {
  }
  if (void* memory = std::malloc(size)) {
    return memory;
  }
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace ffconv::model {
namespace {

using Bytes = std::vector<std::uint8_t>;
using ::ffconv::testing::Dims;
using ::ffconv::testing::OnnxBuilder;

// The imported graph; nullopt where it is refused with an Error. Any other exception is a failure.
std::optional<Graph> import_within_bounds(const Bytes& bytes) {
  std::optional<Graph> graph;
  largest_allocation = 0;
  try {
    graph = import_onnx(bytes, "hostile model");
  } catch (const Error&) {
  }
  // A weight of one byte in the file (an int32 of few bits) becomes a double, in a vector that may
  // double as it grows.
  EXPECT_LE(largest_allocation, 16 * bytes.size() + 4096);
  return graph;
}

// Imports and normalizes. Returns whether both accept the model.
bool survives(const Bytes& bytes) {
  const std::optional<Graph> graph = import_within_bounds(bytes);
  try {
    return graph && !normalize(*graph).layers.empty();
  } catch (const Error&) {
    return false;
  }
}

Bytes read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Bytes lola() {
  return read_bytes(std::filesystem::path(FFCONV_SOURCE_DIR) / "models/mnist-lola.onnx");
}

Bytes small_model() {
  OnnxBuilder builder({2, 4, 4});
  std::string x = builder.node("Mul", {"image", builder.constant({2, 1, 1}, {0.5, 0.25})});
  x = builder.node("Conv", {x, builder.constant({1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})},
                   {{"pads", Dims{0, 1, 1, 0}}, {"strides", Dims{2, 1}}});
  x = builder.node("Pow", {x, builder.scalar(2)});
  x = builder.node("Reshape", {x, builder.integers({1, -1})});
  x = builder.node("Gemm", {x, builder.constant({8, 2}, std::vector<double>(16, 0.5))});
  return builder.bytes(builder.node("Softmax", {x}));
}

TEST(HostileModel, BaselinesAreAccepted) {
  EXPECT_TRUE(survives(small_model()));
  EXPECT_TRUE(survives(lola()));
}

TEST(HostileModel, SeedsOfTheFuzzerAreAccepted) {
  const std::filesystem::path folder =
      std::filesystem::path(FFCONV_SOURCE_DIR) / "tests/fuzz/seeds/onnx_fuzz";
  for (const char* name : {"lola", "quadratic", "pad_groups", "old_pad_constant"}) {
    EXPECT_TRUE(survives(read_bytes(folder / fmt::format("{}.onnx", name)))) << name;
  }
  EXPECT_FALSE(survives(read_bytes(folder / "unsupported.onnx")));
}

TEST(HostileModel, EveryTruncationIsSurvived) {
  const Bytes model = small_model();
  for (std::size_t size = 0; size < model.size(); ++size) {
    SCOPED_TRACE(::testing::Message() << size << " bytes");
    EXPECT_FALSE(survives(Bytes(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(size))));
  }
}

TEST(HostileModel, EveryFlippedBitIsSurvived) {
  Bytes model = small_model();
  for (std::size_t bit = 0; bit < 8 * model.size(); ++bit) {
    SCOPED_TRACE(::testing::Message() << "bit " << bit);
    model[bit / 8] = static_cast<std::uint8_t>(model[bit / 8] ^ 1u << bit % 8);
    survives(model);
    model[bit / 8] = static_cast<std::uint8_t>(model[bit / 8] ^ 1u << bit % 8);
  }
}

TEST(HostileModel, RandomBytesInRealModelsAreSurvived) {
  const std::uint64_t seed = 7;
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed << ", round " << round);
    Bytes model = small_model();
    for (int change = 0; change < 4; ++change) {
      model[random() % model.size()] = static_cast<std::uint8_t>(random());
    }
    survives(model);
  }
}

TEST(HostileModel, DamagedLolaIsSurvived) {
  const Bytes model = lola();
  std::mt19937_64 random(11);
  // Outside the weights lie the last 1,500 bytes, and a few at the start.
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE(::testing::Message() << "seed 11, round " << round);
    Bytes damaged = model;
    const std::size_t position = random() % 2000;
    damaged[position < 500 ? position : damaged.size() - (position - 499)] =
        static_cast<std::uint8_t>(random());
    survives(damaged);
  }
}

TEST(HostileModel, HugeDeclaredSizesAllocateNothing) {
  const std::int64_t huge = std::int64_t{1} << 40;
  OnnxBuilder weights({2});
  const std::string c = weights.constant({2}, {1, 2});
  weights.graph().mutable_initializer(0)->mutable_dims()->Set(0, huge);
  EXPECT_FALSE(survives(weights.bytes(weights.node("Add", {"image", c}))));

  OnnxBuilder image({1 << 10, 1 << 10, 1 << 10});
  EXPECT_FALSE(survives(image.bytes(image.node("Identity", {"image"}))));

  OnnxBuilder padded({1, 4, 4});
  const std::string pads = padded.integers({0, 0, 1 << 16, 1 << 16, 0, 0, 1 << 16, 1 << 16});
  EXPECT_FALSE(survives(padded.bytes(padded.node("Pad", {"image", pads}))));

  // Within all limits, from a few bytes: what a tensor of the image takes is not yet needed.
  OnnxBuilder large({1, 2000, 2000});
  EXPECT_TRUE(import_within_bounds(large.bytes(large.node("Add", {"image", "image"}))).has_value());
}

TEST(HostileModel, DeepNestingInMetadataIsSurvived) {
  OnnxBuilder builder({2});
  auto* entry = builder.model().add_metadata_props();
  entry->set_key(kClassNamesKey);
  entry->set_value(std::string(200000, '['));
  EXPECT_FALSE(survives(builder.bytes("image")));
  entry->set_value(std::string(200000, '[') + std::string(200000, ']'));
  EXPECT_FALSE(survives(builder.bytes("image")));
}

}  // namespace
}  // namespace ffconv::model
