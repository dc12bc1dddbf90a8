#include "ffconv/backend/clear.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>

#include "ffconv/backend/run.h"
#include "ffconv/base/assert.h"
#include "ffconv/plan/labels.h"

namespace ffconv::backend {
namespace {

static_assert(Backend<ClearBackend>);

// y + rotate(x, step); x and y of equal length.
void add_rotated(std::vector<double>& y, const std::vector<double>& x, std::int32_t step) {
  const auto k = static_cast<std::size_t>(step);
  const std::size_t n = x.size();
  for (std::size_t j = 0; j < n - k; ++j) {
    y[j] += x[j + k];
  }
  for (std::size_t j = n - k; j < n; ++j) {
    y[j] += x[j + k - n];
  }
}

std::vector<double> rotated(const std::vector<double>& x, std::int32_t step) {
  std::vector<double> y(x.size());
  std::rotate_copy(x.begin(), x.begin() + step, x.end(), y.begin());
  return y;
}

}  // namespace

ClearBackend::ClearBackend(const plan::Program& program, std::optional<std::uint64_t> noise_seed)
    : program_(program), errors_(program.params) {
  if (noise_seed) {
    noise_.emplace(*noise_seed);
    const Params params(program.params);
    for (int level = 0; level <= params.max_level(); ++level) {
      rescale_factors_.push_back(level == 0 ? 1.0 : params.rescale_factor(level));
    }
  }
}

const plan::SlotVector& ClearBackend::vector(std::int32_t index) const {
  return program_.vectors[static_cast<std::size_t>(index)];
}

void ClearBackend::disturb(std::vector<double>& slots, double std) {
  if (noise_) {
    for (double& slot : slots) {
      slot += std * normal_(*noise_);
    }
  }
}

double ClearBackend::key_error(int level) const {
  return noise_ ? errors_.key_switch(level) : 0.0;
}

std::vector<double> ClearBackend::encoded(std::int32_t index, double scale) {
  std::vector<double> values = vector(index).values;
  disturb(values, plan::ErrorModel::encoding(static_cast<double>(values.size())) / scale);
  return values;
}

ClearBackend::Ciphertext ClearBackend::encrypt(std::int32_t input,
                                               std::span<const double> elements) {
  const plan::ValueInfo& info = program_.values[static_cast<std::size_t>(input)];
  const auto period = plan::pack(program_.input_labels[static_cast<std::size_t>(input)], elements);
  Ciphertext x{std::vector<double>(std::size_t{1} << program_.params.log_n), info.level, 2,
               info.scale};
  for (std::size_t j = 0; j < x.slots.size(); ++j) {
    x.slots[j] = period[j % period.size()];
  }
  disturb(x.slots, std::hypot(errors_.fresh(),
                              plan::ErrorModel::encoding(static_cast<double>(period.size()))) /
                       x.scale);
  return x;
}

std::vector<ClearBackend::Ciphertext> ClearBackend::encrypt_image(
    std::span<const double> elements) {
  std::vector<Ciphertext> inputs;
  for (std::int32_t i = 0; i < program_.input_count; ++i) {
    inputs.push_back(encrypt(i, elements));
  }
  return inputs;
}

ClearBackend::Ciphertext ClearBackend::rotate(const Ciphertext& x, std::int32_t step) {
  Ciphertext y{rotated(x.slots, step), x.level, 2, x.scale};
  disturb(y.slots, std::hypot(key_error(x.level), errors_.rounding()) / x.scale);
  return y;
}

std::vector<double> ClearBackend::hoisted(const Ciphertext& x, std::int32_t step) {
  auto y = rotated(x.slots, step);
  if (step != 0) {
    disturb(y, key_error(x.level) / x.scale);
  }
  return y;
}

ClearBackend::Ciphertext ClearBackend::rotate_sum(const Ciphertext& x,
                                                  std::span<const std::int32_t> steps) {
  Ciphertext y{std::vector<double>(x.slots.size(), 0.0), x.level, 2, x.scale};
  for (const std::int32_t step : steps) {
    add_rotated(y.slots, hoisted(x, step), 0);
  }
  disturb(y.slots, errors_.rounding() / x.scale);
  return y;
}

ClearBackend::Ciphertext ClearBackend::add(Ciphertext x, const Ciphertext& y) {
  FFCONV_ASSERT(x.level == y.level);
  add_rotated(x.slots, y.slots, 0);
  return x;
}

ClearBackend::Ciphertext ClearBackend::add_plain(Ciphertext x, std::int32_t index) {
  const auto values = encoded(index, x.scale);
  for (std::size_t j = 0; j < x.slots.size(); ++j) {
    x.slots[j] += values[j % values.size()];
  }
  return x;
}

ClearBackend::Ciphertext ClearBackend::multiply_plain(Ciphertext x, std::int32_t index,
                                                      double plain_scale) {
  const auto values = encoded(index, plain_scale);
  for (std::size_t j = 0; j < x.slots.size(); ++j) {
    x.slots[j] *= values[j % values.size()];
  }
  x.scale *= plain_scale;
  return x;
}

ClearBackend::Ciphertext ClearBackend::square(const Ciphertext& x) {
  return multiply(x, x);
}

ClearBackend::Ciphertext ClearBackend::multiply(const Ciphertext& x, const Ciphertext& y) {
  FFCONV_ASSERT(x.level == y.level && x.polynomials == 2 && y.polynomials == 2);
  Ciphertext z{x.slots, x.level, 3, x.scale * y.scale};
  std::transform(x.slots.begin(), x.slots.end(), y.slots.begin(), z.slots.begin(),
                 std::multiplies<>{});
  return z;
}

ClearBackend::Ciphertext ClearBackend::relinearize(Ciphertext x) {
  FFCONV_ASSERT(x.polynomials == 3);
  disturb(x.slots, std::hypot(key_error(x.level), errors_.rounding()) / x.scale);
  x.polynomials = 2;
  return x;
}

ClearBackend::Ciphertext ClearBackend::rescale(Ciphertext x) {
  x.scale /= noise_ ? rescale_factors_[static_cast<std::size_t>(x.level)] : 1.0;
  --x.level;
  disturb(x.slots, errors_.rescaling(x.polynomials) / x.scale);
  return x;
}

ClearBackend::Ciphertext ClearBackend::relinearize_rescale(Ciphertext x) {
  FFCONV_ASSERT(x.polynomials == 3);
  disturb(x.slots, key_error(x.level) / x.scale);
  x.polynomials = 2;
  return rescale(std::move(x));
}

ClearBackend::Ciphertext ClearBackend::drop_level(Ciphertext x, std::int32_t level) {
  FFCONV_ASSERT(level <= x.level);
  x.level = level;
  return x;
}

PoolVector<ClearBackend::Ciphertext> ClearBackend::linear(
    const plan::Instruction& op, std::span<const Ciphertext* const> inputs) {
  using Pair = std::pair<std::int32_t, std::int32_t>;
  std::map<Pair, std::vector<double>> babies;  // (input, step) -> rotated input
  std::map<Pair, std::vector<double>> giants;  // (output, step) -> sum before the giant step
  const std::size_t n = inputs[0]->slots.size();
  std::vector<bool> rounded(op.out.size(), false);
  for (const plan::LinearTerm& term : op.terms) {
    const Ciphertext& x = *inputs[static_cast<std::size_t>(term.input)];
    auto [baby, new_baby] = babies.try_emplace({term.input, term.baby});
    if (new_baby) {
      baby->second = hoisted(x, term.baby);
    }
    auto& sum = giants.try_emplace({term.output, term.giant}, n, 0.0).first->second;
    const auto values = encoded(term.vector, op.plain_scale);
    for (std::size_t j = 0; j < n; ++j) {
      sum[j] += values[j & (values.size() - 1)] * baby->second[j];
    }
    const auto output = static_cast<std::size_t>(term.output);
    rounded[output] = rounded[output] || term.rotates();
  }
  const double scale = inputs[0]->scale * op.plain_scale;
  PoolVector<Ciphertext> outputs(op.out.size(),
                                 {std::vector<double>(n, 0.0), inputs[0]->level, 2, scale});
  for (auto& [key, sum] : giants) {
    if (key.second != 0) {
      disturb(sum, std::hypot(key_error(inputs[0]->level), errors_.rounding()) / scale);
    }
    add_rotated(outputs[static_cast<std::size_t>(key.first)].slots, sum, key.second);
  }
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    if (rounded[o]) {
      disturb(outputs[o].slots, errors_.rounding() / scale);
    }
  }
  return outputs;
}

std::vector<double> run_clear(const plan::Program& program, std::span<const double> image,
                              std::size_t classes, std::optional<std::uint64_t> noise_seed) {
  ClearBackend backend(program, noise_seed);
  std::vector<std::vector<double>> slots;
  for (auto& output : run(program, backend, backend.encrypt_image(image))) {
    slots.push_back(std::move(output.slots));
  }
  return plan::unpack(program.output_labels, slots, classes);
}

}  // namespace ffconv::backend
