#include "ffconv/backend/ckks.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "ffconv/backend/backend.h"
#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/evaluator.h"

namespace ffconv::backend {

using plan::Instruction;
using plan::LinearTerm;
using plan::OpCode;

static_assert(Backend<CkksBackend> && InstructionAware<CkksBackend>);

EncodedProgram::EncodedProgram(const plan::Program& program, ContextPtr context,
                               const Progress& progress, const std::vector<bool>& small)
    : program_(program),
      context_(std::move(context)),
      small_(small),
      transforms_(program.instructions.size()),
      scalars_(program.instructions.size()),
      plaintexts_(program.instructions.size()) {
  if (context_->params().spec() != program.params) {
    fail(ErrorCode::kMismatch, "weights: the program was made for other parameters");
  }
  small_.resize(program.instructions.size());
  const EncodedUses encoded = encode_all(progress);
  for (const auto& [use, e] : encoded) {
    bytes_ += e.packed ? e.packed->bytes()
                       : e.plaintext->poly.limb_count() * context_->n() * sizeof(Word);
  }
  for (const Instruction& op : program.instructions) {
    if (plan::is_scalar(program, op)) {
      scalars_[index(op)] = scalars_of(op);
      bytes_ += scalars_[index(op)]->bytes();
    } else if (op.op == OpCode::kLinear) {
      std::vector<Use> uses;
      LinearTransform transform = transform_of(op, uses);
      for (std::size_t g = 0; g < uses.size(); ++g) {
        transform.groups[g].weights = encoded.at(uses[g]).packed;
      }
      transforms_[index(op)] = std::move(transform);
    } else if (const auto use = use_of(op)) {
      plaintexts_[index(op)] = encoded.at(*use).plaintext;
    }
  }
}

EncodedProgram::EncodedUses EncodedProgram::encode_all(const Progress& progress) const {
  EncodedUses all;
  for (const Instruction& op : program_.instructions) {
    if (plan::is_scalar(program_, op)) {
      continue;
    }
    if (op.op == OpCode::kLinear) {
      std::vector<Use> uses;
      transform_of(op, uses);
      for (Use& use : uses) {
        all.try_emplace(std::move(use));
      }
    } else if (auto use = use_of(op)) {
      all.try_emplace(std::move(*use));
    }
  }
  std::vector<EncodedUses::value_type*> places;
  std::size_t total = 0, done = 0;
  for (auto& use : all) {
    places.push_back(&use);
    total += use.first.vectors.size();
  }
  std::mutex reporting;
  parallel_for(places.size(), [&](std::size_t i) {
    places[i]->second = encode_use(places[i]->first);
    if (progress) {
      const std::lock_guard lock(reporting);
      progress("weights", done += places[i]->first.vectors.size(), total);
    }
  });
  return all;
}

EncodedProgram::Encoded EncodedProgram::encode_use(const Use& use) const {
  const auto values = [&](std::size_t k) -> const std::vector<double>& {
    return program_.vectors[static_cast<std::size_t>(use.vectors[k])].values;
  };
  const auto plaintext = [&](std::size_t k) {
    return encode(*context_, values(k), use.scale, use.level, use.extended);
  };
  Encoded encoded;
  if (use.small) {
    encoded.packed = std::make_shared<const PackedPlaintexts>(
        context_->ring(),
        use.extended ? context_->qp_basis(use.level) : context_->q_basis(use.level),
        use.vectors.size(),
        [&](std::size_t k) { return encode_integers(*context_, values(k), use.scale); });
  } else if (use.packed) {
    encoded.packed = std::make_shared<const PackedPlaintexts>(use.vectors.size(), plaintext);
  } else {
    encoded.plaintext = std::make_shared<const Plaintext>(plaintext(0));
  }
  return encoded;
}

std::optional<EncodedProgram::Use> EncodedProgram::use_of(const Instruction& op) const {
  const plan::ValueInfo& x = program_.values[static_cast<std::size_t>(op.in[0])];
  if (op.op == OpCode::kAddPlain) {
    return Use{{op.vector}, x.level, false, false, false, x.scale};
  }
  if (op.op == OpCode::kMultiplyPlain &&
      !program_.vectors[static_cast<std::size_t>(op.vector)].is_constant()) {
    return Use{{op.vector}, x.level, false, false, false, op.plain_scale};
  }
  return std::nullopt;
}

LinearTransform EncodedProgram::transform_of(const Instruction& op, std::vector<Use>& uses) const {
  LinearTransform transform;
  transform.inputs = static_cast<int>(op.in.size());
  transform.outputs = static_cast<int>(op.out.size());
  transform.level = program_.values[static_cast<std::size_t>(op.in[0])].level;
  const bool extended = plan::rotates(op);
  std::map<std::pair<std::int32_t, std::int32_t>, std::vector<const LinearTerm*>> by_step;
  for (const LinearTerm& term : op.terms) {
    by_step[{term.output, term.giant}].push_back(&term);
  }
  for (const auto& [step, terms] : by_step) {
    LinearTransform::Group& group =
        transform.groups.emplace_back(LinearTransform::Group{step.first, step.second, {}, {}});
    std::vector<std::int32_t> vectors;
    for (const LinearTerm* term : terms) {
      vectors.push_back(term->vector);
    }
    std::ranges::sort(vectors);
    vectors.erase(std::unique(vectors.begin(), vectors.end()), vectors.end());
    for (const LinearTerm* term : terms) {
      const auto place = std::ranges::lower_bound(vectors, term->vector);
      group.terms.push_back(
          {term->input, term->baby, static_cast<std::int32_t>(place - vectors.begin())});
    }
    uses.push_back(
        {std::move(vectors), transform.level, true, small_[index(op)], extended, op.plain_scale});
  }
  return transform;
}

ScalarTransform EncodedProgram::scalars_of(const Instruction& op) const {
  std::vector<ScalarTransform::Row> rows(op.out.size());
  for (const LinearTerm& term : op.terms) {
    rows[static_cast<std::size_t>(term.output)].push_back(
        {term.input, program_.vectors[static_cast<std::size_t>(term.vector)].values.front()});
  }
  return ScalarTransform(*context_, program_.values[static_cast<std::size_t>(op.in[0])].level,
                         op.plain_scale, op.in.size(), rows);
}

std::size_t EncodedProgram::index(const Instruction& op) const {
  const auto place = &op - program_.instructions.data();
  FFCONV_ASSERT(place >= 0 && static_cast<std::size_t>(place) < program_.instructions.size());
  return static_cast<std::size_t>(place);
}

const LinearTransform& EncodedProgram::transform(const Instruction& op) const {
  return transforms_[index(op)];
}

const ScalarTransform* EncodedProgram::scalars(const Instruction& op) const {
  const auto& scalars = scalars_[index(op)];
  return scalars ? &*scalars : nullptr;
}

const Plaintext* EncodedProgram::plaintext(const Instruction& op) const {
  return plaintexts_[index(op)].get();
}

Ciphertext CkksBackend::checked(Ciphertext result, std::size_t output) const {
  FFCONV_ASSERT(op_ != nullptr);
  const std::int32_t reg = op_->out[output];
  const plan::ValueInfo& expected = encoded_.program().values[static_cast<std::size_t>(reg)];
  if (result.level != expected.level ||
      result.polys.size() != static_cast<std::size_t>(expected.polynomials) ||
      !(std::abs(result.scale - expected.scale) <= 0x1p-40 * expected.scale)) {
    fail(
        ErrorCode::kMismatch,
        "register {}: the program expects level {}, {} polynomials and scale {}, got {}, {} and {}",
        reg, expected.level, expected.polynomials, expected.scale, result.level,
        result.polys.size(), result.scale);
  }
  // The engine multiplies worst cases; the program knows the values' ranges.
  if (expected.max_abs > 0.0) {
    result.noise.message_max = expected.max_abs * result.scale;
  }
  return result;
}

PoolVector<Ciphertext> CkksBackend::linear(const Instruction& op,
                                           std::span<const Ciphertext* const> inputs) {
  PoolVector<Ciphertext> results;
  if (const ScalarTransform* scalars = encoded_.scalars(op)) {
    for (; !inputs.empty(); inputs = inputs.subspan(op.in.size())) {
      std::ranges::move(scalar_transform(inputs.first(op.in.size()), *scalars),
                        std::back_inserter(results));
    }
  } else {
    results = linear_transform(inputs, encoded_.transform(op), keys_);
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    results[i] = checked(std::move(results[i]), i % op.out.size());
  }
  return results;
}

Ciphertext CkksBackend::rotate(const Ciphertext& x, std::int32_t step) {
  return checked(ffconv::rotate(x, step, keys_));
}

Ciphertext CkksBackend::rotate_sum(const Ciphertext& x, std::span<const std::int32_t> steps) {
  return checked(ffconv::rotate_sum(x, steps, keys_));
}

Ciphertext CkksBackend::add(const Ciphertext& x, const Ciphertext& y) {
  return checked(ffconv::add(x, y));
}

Ciphertext CkksBackend::add_plain(const Ciphertext& x, std::int32_t) {
  return checked(ffconv::add_plain(x, *encoded_.plaintext(*op_)));
}

Ciphertext CkksBackend::multiply_plain(const Ciphertext& x, std::int32_t vector,
                                       double plain_scale) {
  if (const Plaintext* plaintext = encoded_.plaintext(*op_)) {
    return checked(ffconv::multiply_plain(x, *plaintext));
  }
  const double value = encoded_.program().vectors[static_cast<std::size_t>(vector)].values.front();
  return checked(multiply_scalar(x, value, plain_scale));
}

Ciphertext CkksBackend::square(const Ciphertext& x) {
  return checked(ffconv::square(x));
}

Ciphertext CkksBackend::multiply(const Ciphertext& x, const Ciphertext& y) {
  return checked(ffconv::multiply(x, y));
}

Ciphertext CkksBackend::relinearize(const Ciphertext& x) {
  return checked(ffconv::relinearize(x, keys_));
}

Ciphertext CkksBackend::rescale(const Ciphertext& x) {
  return checked(ffconv::rescale(x));
}

Ciphertext CkksBackend::relinearize_rescale(const Ciphertext& x) {
  return checked(ffconv::relinearize_rescale(x, keys_));
}

Ciphertext CkksBackend::drop_level(const Ciphertext& x, std::int32_t level) {
  return checked(ffconv::drop_level(x, level));
}

}  // namespace ffconv::backend
