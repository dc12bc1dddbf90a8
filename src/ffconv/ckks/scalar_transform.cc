#include "ffconv/ckks/scalar_transform.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "ffconv/base/assert.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/key_switching.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

// Errors independent; a rounded weight is off by up to 1/2, on the message.
Noise transformed_noise(std::span<const Ciphertext* const> inputs,
                        std::span<const std::int32_t> numbers, const double* magnitudes) {
  double variance = 0.0, message = 0.0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const Noise& noise = inputs[static_cast<std::size_t>(numbers[i])]->noise;
    const double error = magnitudes[i] * noise.error_std, rounded = 0.5 * noise.message_max;
    variance += error * error + rounded * rounded;
    message += magnitudes[i] * noise.message_max;
  }
  return {std::sqrt(variance), message};
}

// Words [begin, begin + count) of limb i of a batch's outputs.
void sum_block(std::span<const Ciphertext* const> inputs, const ScalarTransform& transform,
               const ScalarTransform::Batch& batch, std::size_t i, std::size_t begin,
               std::size_t count, PoolVector<Ciphertext>& outputs) {
  PoolVector<const Word*> a0, a1;
  PoolVector<Word*> dst0, dst1;
  for (const std::int32_t number : batch.inputs) {
    const auto& polys = inputs[static_cast<std::size_t>(number)]->polys;
    a0.push_back(polys[0].limb(i) + begin);
    a1.push_back(polys[1].limb(i) + begin);
  }
  for (std::size_t o = batch.first; o < batch.last; ++o) {
    dst0.push_back(outputs[o].polys[0].limb(i) + begin);
    dst1.push_back(outputs[o].polys[1].limb(i) + begin);
  }
  const Poly<Eval>& any = inputs[0]->polys[0];
  any.ring().kernels().scalar_products(dst0.data(), dst1.data(), dst0.size(), a0.data(), a1.data(),
                                       a0.size(), transform.constants(i) + batch.weights, count,
                                       any.tables(i));
}

}  // namespace

ScalarTransform::ScalarTransform(const Context& context, int level, double scale,
                                 std::size_t inputs, std::span<const Row> rows)
    : inputs_(inputs), level_(level), scale_(scale) {
  std::vector<std::int64_t> integers;
  for (std::size_t o = 0; o < rows.size(); ++o) {
    FFCONV_ASSERT(!rows[o].empty());
    std::vector<std::int32_t> numbers;
    const std::size_t first = integers.size();
    for (const Term& term : rows[o]) {
      FFCONV_ASSERT(term.input >= 0 && static_cast<std::size_t>(term.input) < inputs);
      numbers.push_back(term.input);
      integers.push_back(internal::scaled_integer(term.weight, scale, "scalar_transform"));
      magnitudes_.push_back(std::abs(static_cast<double>(integers.back())));
    }
    if (o > 0 && batches_.back().inputs == numbers) {
      batches_.back().last = o + 1;
    } else {
      batches_.push_back({o, o + 1, std::move(numbers), first});
    }
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
  internal::check_operands(inputs, transform.inputs(), transform.level(), "scalar_transform");
  const Ciphertext& first = *inputs[0];
  const Ring& ring = first.context->ring();
  const Basis& basis = first.context->q_basis(first.level);
  PoolVector<Ciphertext> outputs(transform.outputs());
  for (const ScalarTransform::Batch& batch : transform.batches()) {
    const double* magnitudes = transform.magnitudes().data() + batch.weights;
    for (std::size_t o = batch.first; o < batch.last; ++o, magnitudes += batch.inputs.size()) {
      outputs[o].context = first.context;
      outputs[o].level = first.level;
      outputs[o].scale = first.scale * transform.scale();
      outputs[o].noise = transformed_noise(inputs, batch.inputs, magnitudes);
      for (int k = 0; k < 2; ++k) {
        outputs[o].polys.emplace_back(ring, basis);
      }
    }
  }
  const std::size_t count = std::min(ring.n(), kBlockWords), blocks = ring.n() / count;
  parallel_for(basis.size() * blocks, [&](std::size_t k) {
    for (const ScalarTransform::Batch& batch : transform.batches()) {
      sum_block(inputs, transform, batch, k / blocks, k % blocks * count, count, outputs);
    }
  });
  return outputs;
}

}  // namespace ffconv
