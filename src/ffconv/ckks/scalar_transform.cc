#include "ffconv/ckks/scalar_transform.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/key_switching.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

void check(std::span<const Ciphertext* const> inputs, const ScalarTransform& transform) {
  if (inputs.size() != transform.inputs()) {
    fail(ErrorCode::kMismatch, "scalar_transform: expected {} ciphertexts, got {}",
         transform.inputs(), inputs.size());
  }
  for (const Ciphertext* input : inputs) {
    internal::check_same(*inputs[0], *input, "scalar_transform");
    internal::check_scales(inputs[0]->scale, input->scale, "scalar_transform");
    internal::check_polynomials(*input, 2, "scalar_transform");
  }
  if (inputs[0]->level != transform.level()) {
    fail(ErrorCode::kMismatch,
         "scalar_transform: weights are encoded for level {}, the ciphertexts stand at level {}",
         transform.level(), inputs[0]->level);
  }
}

// Errors independent; a rounded weight is off by up to 1/2, on the message.
Noise transformed_noise(std::span<const Ciphertext* const> inputs,
                        std::span<const double> magnitudes) {
  double variance = 0.0, message = 0.0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Noise& noise = inputs[i]->noise;
    const double error = magnitudes[i] * noise.error_std, rounded = 0.5 * noise.message_max;
    variance += error * error + rounded * rounded;
    message += magnitudes[i] * noise.message_max;
  }
  return {std::sqrt(variance), message};
}

// Words [begin, begin + count) of limb i of every output.
void sum_block(std::span<const Ciphertext* const> inputs, const ScalarTransform& transform,
               std::size_t i, std::size_t begin, std::size_t count,
               PoolVector<Ciphertext>& outputs) {
  PoolVector<const Word*> a0, a1;
  PoolVector<Word*> dst0, dst1;
  for (const Ciphertext* input : inputs) {
    a0.push_back(input->polys[0].limb(i) + begin);
    a1.push_back(input->polys[1].limb(i) + begin);
  }
  for (Ciphertext& output : outputs) {
    dst0.push_back(output.polys[0].limb(i) + begin);
    dst1.push_back(output.polys[1].limb(i) + begin);
  }
  const Poly<Eval>& any = inputs[0]->polys[0];
  any.ring().kernels().scalar_products(dst0.data(), dst1.data(), dst0.size(), a0.data(), a1.data(),
                                       a0.size(), transform.constants(i), count, any.tables(i));
}

}  // namespace

ScalarTransform::ScalarTransform(const Context& context, int level, double scale,
                                 std::size_t outputs, std::size_t inputs,
                                 std::span<const double> weights)
    : inputs_(inputs), outputs_(outputs), level_(level), scale_(scale) {
  FFCONV_ASSERT(weights.size() == outputs * inputs);
  std::vector<std::int64_t> integers;
  for (const double weight : weights) {
    integers.push_back(internal::scaled_integer(weight, scale, "scalar_transform"));
    magnitudes_.push_back(std::abs(static_cast<double>(integers.back())));
  }
  const Ring& ring = context.ring();
  for (const std::uint16_t prime : context.q_basis(level)) {
    for (const std::int64_t integer : integers) {
      constants_.push_back(ring.constant(reduce_signed(integer, ring.prime(prime)), prime));
    }
  }
}

PoolVector<Ciphertext> scalar_transform(std::span<const Ciphertext* const> inputs,
                                        const ScalarTransform& transform) {
  check(inputs, transform);
  const Ciphertext& first = *inputs[0];
  const Ring& ring = first.context->ring();
  const Basis& basis = first.context->q_basis(first.level);
  PoolVector<Ciphertext> outputs(transform.outputs());
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    outputs[o].context = first.context;
    outputs[o].level = first.level;
    outputs[o].scale = first.scale * transform.scale();
    outputs[o].noise =
        transformed_noise(inputs, transform.magnitudes().subspan(o * inputs.size(), inputs.size()));
    for (int k = 0; k < 2; ++k) {
      outputs[o].polys.emplace_back(ring, basis);
    }
  }
  const std::size_t count = std::min(ring.n(), kBlockWords), blocks = ring.n() / count;
  parallel_for(basis.size() * blocks, [&](std::size_t k) {
    sum_block(inputs, transform, k / blocks, k % blocks * count, count, outputs);
  });
  return outputs;
}

}  // namespace ffconv
