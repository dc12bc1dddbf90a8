// The count backend: passes every operation on to another backend and counts what that is asked to
// do.
//
// plan::count() reads the same numbers off a program without running it; the tests hold the two
// against each other, so that counts printed beforehand are those of what runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "ffconv/backend/backend.h"
#include "ffconv/plan/counts.h"
#include "ffconv/plan/program.h"

namespace ffconv::backend {

// `levels` and `predicted_us` of the counts stay 0.
template <Backend Inner>
class CountBackend {
 public:
  using Ciphertext = typename Inner::Ciphertext;

  // Both must outlive this backend.
  CountBackend(const plan::Program& program, Inner& inner)
      : program_(program), inner_(inner), layers_(program.layers.size()) {}

  // By layer of the program.
  const std::vector<plan::OpCounts>& layers() const { return layers_; }

  void begin_instruction(const plan::Instruction& op) {
    layer_ = static_cast<std::size_t>(op.layer);
    if constexpr (InstructionAware<Inner>) {
      inner_.begin_instruction(op);
    }
  }

  PoolVector<Ciphertext> linear(const plan::Instruction& op,
                                std::span<const Ciphertext* const> inputs) {
    std::set<std::pair<std::int32_t, std::int32_t>> babies, giants;
    for (const plan::LinearTerm& term : op.terms) {
      babies.emplace(term.input, term.baby);
      giants.emplace(term.output, term.giant);
      count_product(term.vector);
    }
    const auto moved = [](const auto& steps) {
      return std::count_if(steps.begin(), steps.end(), [](const auto& s) { return s.second != 0; });
    };
    count_rotations(moved(giants), moved(babies));
    return inner_.linear(op, inputs);
  }
  Ciphertext rotate(const Ciphertext& x, std::int32_t step) {
    count_rotations(1, 0);
    return inner_.rotate(x, step);
  }
  Ciphertext rotate_sum(const Ciphertext& x, std::span<const std::int32_t> steps) {
    count_rotations(0, std::count_if(steps.begin(), steps.end(), [](auto s) { return s != 0; }));
    return inner_.rotate_sum(x, steps);
  }
  Ciphertext add(Ciphertext x, const Ciphertext& y) { return inner_.add(std::move(x), y); }
  Ciphertext add_plain(Ciphertext x, std::int32_t vector) {
    return inner_.add_plain(std::move(x), vector);
  }
  Ciphertext multiply_plain(Ciphertext x, std::int32_t vector, double plain_scale) {
    count_product(vector);
    return inner_.multiply_plain(std::move(x), vector, plain_scale);
  }
  Ciphertext square(const Ciphertext& x) {
    ++here().ciphertext_products;
    return inner_.square(x);
  }
  Ciphertext multiply(const Ciphertext& x, const Ciphertext& y) {
    ++here().ciphertext_products;
    return inner_.multiply(x, y);
  }
  Ciphertext relinearize(Ciphertext x) {
    ++here().key_switches;
    return inner_.relinearize(std::move(x));
  }
  Ciphertext rescale(Ciphertext x) {
    ++here().rescales;
    return inner_.rescale(std::move(x));
  }
  Ciphertext relinearize_rescale(Ciphertext x) {
    ++here().key_switches;
    ++here().rescales;
    return inner_.relinearize_rescale(std::move(x));
  }
  Ciphertext drop_level(Ciphertext x, std::int32_t level) {
    return inner_.drop_level(std::move(x), level);
  }

 private:
  plan::OpCounts& here() { return layers_[layer_]; }
  void count_rotations(std::int64_t full, std::int64_t hoisted) {
    here().rotations += full;
    here().hoisted_rotations += hoisted;
    here().key_switches += full + hoisted;
  }
  void count_product(std::int32_t vector) {
    const bool constant = program_.vectors[static_cast<std::size_t>(vector)].is_constant();
    ++(constant ? here().scalar_products : here().plain_products);
  }

  const plan::Program& program_;
  Inner& inner_;
  std::vector<plan::OpCounts> layers_;
  std::size_t layer_ = 0;
};

}  // namespace ffconv::backend
