// The operations of the scheme at the top level of a few parameter sets, in every tier of this
// machine.
//
// Sets: limbs L ciphertext primes, special primes, primes a digit; every key at the top level. They
// are the shapes of small networks (2^13) and of deeper ones (2^14, 2^15).
#include <memory>
#include <numeric>
#include <random>

#include <fmt/format.h>

#include "bench.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/linear_transform.h"
#include "ffconv/ckks/public_encryptor.h"
#include "ffconv/ckks/secret/decryptor.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "ffconv/ckks/secret/key_generator.h"

namespace ffconv::bench {
namespace {

using State = benchmark::State;

struct Shape {
  int log_n, limbs, special, digit_primes;

  bool operator==(const Shape&) const = default;
};

constexpr Shape kShapes[] = {{13, 3, 1, 1}, {13, 4, 1, 1}, {14, 4, 2, 2},
                             {14, 6, 1, 1}, {14, 6, 3, 3}, {15, 12, 4, 4}};

constexpr double kScale = 0x1p40;
constexpr int kHoisted = 8;
// A linear map of 16 diagonals: 4 baby steps, 4 giant steps.
constexpr int kBabies = 4, kGiants = 4;
// A map between several ciphertexts, 8 diagonals each; all outputs have the same weights.
constexpr int kMany = 4, kManyGiants = 2;

// Everything that the operations need, at one shape in one tier.
struct Fixture {
  Shape shape;
  const Kernels* kernels;
  ContextPtr context;
  SecretKey secret;
  PublicKey public_key;
  EvaluationKeys keys;
  std::vector<double> slots;
  Plaintext plaintext;
  Ciphertext a, product;  // product: three polynomials
  LinearTransform transform, many;

  Fixture(const Shape& s, const Kernels& k)
      : shape(s),
        kernels(&k),
        context(Context::make(params(s), k)),
        secret(SecretKey::generate(context)),
        slots(context->n()) {
    std::mt19937_64 random(1);
    for (double& slot : slots) {
      slot = static_cast<double>(random() >> 11) * 0x1p-52 - 1.0;
    }
    const int level = s.limbs - 1;
    const KeyGenerator generator(secret);
    public_key = generator.public_key(level);
    keys.relinearization.emplace(level, generator.relinearization_key(level));
    for (int step = 1; step <= kHoisted; ++step) {
      keys.rotations.emplace(std::pair(step, level), generator.rotation_key(step, level));
    }
    keys.rotations.emplace(std::pair(12, level), generator.rotation_key(12, level));
    plaintext = encode(*context, slots, kScale, level);
    a = encrypt(secret, plaintext);
    product = multiply(a, a);
    transform = linear_map(level, 1, kGiants);
    many = linear_map(level, kMany, kManyGiants);
  }

  static Params params(const Shape& s) {
    return Params(one_prime_a_level(s.log_n,
                                    std::vector<double>(static_cast<std::size_t>(s.limbs), 40.0),
                                    std::vector<double>(static_cast<std::size_t>(s.special), 46.0),
                                    s.digit_primes, s.limbs - 1));
  }

  // Between `count` ciphertexts.
  LinearTransform linear_map(int level, int count, int giants) const {
    LinearTransform map;
    map.inputs = count;
    map.outputs = count;
    map.level = level;
    std::vector<std::shared_ptr<const PackedPlaintexts>> weights;
    for (int giant = 0; giant < giants; ++giant) {
      weights.push_back(std::make_shared<const PackedPlaintexts>(
          static_cast<std::size_t>(count * kBabies),
          [&](std::size_t) { return encode(*context, slots, kScale, level, true); }));
    }
    for (int k = 0; k < count * giants; ++k) {
      const int giant = k % giants;
      LinearTransform::Group& group = map.groups.emplace_back(LinearTransform::Group{
          k / giants, giant * kBabies, {}, weights[static_cast<std::size_t>(giant)]});
      for (int term = 0; term < count * kBabies; ++term) {
        group.terms.push_back({term / kBabies, term % kBabies, term});
      }
    }
    return map;
  }
};

// The fixture of the last call is kept: benchmarks stand in the order of their fixtures, and the
// largest one's keys take hundreds of megabytes.
const Fixture& fixture_of(const Shape& shape, const Kernels& kernels) {
  static std::unique_ptr<Fixture> current;
  if (!current || !(current->shape == shape) || current->kernels != &kernels) {
    current.reset();
    current = std::make_unique<Fixture>(shape, kernels);
  }
  return *current;
}

// Times operation(fixture). Where `parts` is not 1, a counter gives the time of each.
template <typename Operation>
void add_operation(const std::string& operation, const Shape& s, const Kernels& kernels,
                   Operation run, double parts = 1.0) {
  const std::string name =
      fmt::format("{}/log_n={}/limbs={}/special={}/digit_primes={}/{}", operation, s.log_n, s.limbs,
                  s.special, s.digit_primes, kernels.name);
  add(name, [s, &kernels, run, parts](State& state) {
    const Fixture& fixture = fixture_of(s, kernels);
    for (auto _ : state) {
      benchmark::DoNotOptimize(run(fixture));
    }
    if (parts != 1.0) {
      count_parts(state, "seconds_per_part", parts);
    }
  });
}

void add_client_operations(const Shape& s, const Kernels& kernels) {
  add_operation("encode", s, kernels, [](const Fixture& f) {
    return encode(*f.context, f.slots, kScale, f.shape.limbs - 1);
  });
  add_operation("encrypt_secret", s, kernels,
                [](const Fixture& f) { return encrypt(f.secret, f.plaintext); });
  add_operation("encrypt_public", s, kernels,
                [](const Fixture& f) { return encrypt(f.context, f.public_key, f.plaintext); });
  add_operation("decrypt_raw", s, kernels,
                [](const Fixture& f) { return decrypt_raw(f.secret, f.a); });
  add_operation("decrypt", s, kernels, [](const Fixture& f) { return decrypt(f.secret, f.a); });
  add_operation("rotation_key", s, kernels, [](const Fixture& f) {
    return KeyGenerator(f.secret).rotation_key(1, f.shape.limbs - 1);
  });
}

void add_evaluation(const Shape& s, const Kernels& kernels) {
  add_operation("add", s, kernels, [](const Fixture& f) { return add(f.a, f.a); });
  add_operation("multiply_plain", s, kernels,
                [](const Fixture& f) { return multiply_plain(f.a, f.plaintext); });
  add_operation("multiply_scalar", s, kernels,
                [](const Fixture& f) { return multiply_scalar(f.a, 0.7, kScale); });
  add_operation("multiply", s, kernels, [](const Fixture& f) { return multiply(f.a, f.a); });
  add_operation("square", s, kernels, [](const Fixture& f) { return square(f.a); });
  add_operation("rescale", s, kernels, [](const Fixture& f) { return rescale(f.a); });
  add_operation("relinearize", s, kernels,
                [](const Fixture& f) { return relinearize(f.product, f.keys); });
  add_operation("relinearize_rescale", s, kernels,
                [](const Fixture& f) { return relinearize_rescale(f.product, f.keys); });
}

void add_rotations(const Shape& s, const Kernels& kernels) {
  add_operation("rotate", s, kernels, [](const Fixture& f) { return rotate(f.a, 1, f.keys); });
  const auto steps = [] {
    std::vector<int> result(kHoisted);
    std::iota(result.begin(), result.end(), 1);
    return result;
  }();
  add_operation(
      fmt::format("rotate_hoisted_{}", kHoisted), s, kernels,
      [steps](const Fixture& f) { return rotate_hoisted(f.a, steps, f.keys); }, kHoisted);
  add_operation(
      fmt::format("rotate_sum_{}", kHoisted), s, kernels,
      [steps](const Fixture& f) { return rotate_sum(f.a, steps, f.keys); }, kHoisted);
  add_operation(
      fmt::format("linear_transform_{}x{}", kBabies, kGiants), s, kernels,
      [](const Fixture& f) {
        const Ciphertext* const input = &f.a;
        return linear_transform({&input, 1}, f.transform, f.keys);
      },
      kBabies * kGiants);
  add_operation(
      fmt::format("linear_transform_{}x{}_between_{}", kBabies, kManyGiants, kMany), s, kernels,
      [](const Fixture& f) {
        const std::vector<const Ciphertext*> inputs(kMany, &f.a);
        return linear_transform(inputs, f.many, f.keys);
      },
      kMany * kMany * kBabies * kManyGiants);
}

void add_all() {
  for (const Shape& shape : kShapes) {
    for (const Kernels* kernels : available_kernels()) {
      add_client_operations(shape, *kernels);
      add_evaluation(shape, *kernels);
      add_rotations(shape, *kernels);
    }
  }
}

}  // namespace
}  // namespace ffconv::bench

int main(int argc, char** argv) {
  ffconv::bench::add_all();
  return ffconv::bench::run(argc, argv);
}
