// What our side of the comparison with other libraries measures: parameters, keys, operands and the
// operations, at one ring degree in one tier.
//
// Modulus bits are those of the peers, level by level, packed into words; special primes and digits
// are those that rotate fastest within the security limit, by trial.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/keys.h"
#include "ffconv/ckks/linear_transform.h"
#include "ffconv/ckks/secret/secret_key.h"

namespace ffconv::bench {

struct Operation {
  std::function<void(std::size_t)> run;  // the argument counts repetitions, to vary operands
  double parts = 1;                      // a repetition is so many of what is reported
};

// Shortest of a few repetitions, microseconds.
double quick_minimum_us(const std::function<void()>& call);

class Fixture {
 public:
  // log_n 13, 14 or 15; the key shape found by trial.
  Fixture(int log_n, const Kernels& kernels);
  // The same with given parameters.
  Fixture(const Params& params, double scale_bits, const Kernels& kernels);
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  const Params& params() const { return context_->params(); }
  double scale_bits() const { return scale_bits_; }
  // The prime whose transforms are timed.
  std::uint64_t transform_prime() const { return transform_prime_; }
  // Throws kInvalidArgument for an unknown name. Makes what it needs on the first call.
  const Operation& operation(const std::string& name);
  // Baby and giant steps chosen for linear_transform_128; empty before its first call.
  const std::string& split() const { return split_; }

 private:
  int top() const { return params().max_level(); }
  Plaintext encoded(bool extended) const;
  void make_rotation_keys(const std::vector<int>& steps);
  void check_rotation() const;
  void add_transforms();
  void add_client_operations();
  void add_evaluation();
  void add_hoisted();
  void add_plain_products();
  void add_linear_transform();

  double scale_bits_;
  ContextPtr context_;
  SecretKey secret_;
  PublicKey public_key_;
  EvaluationKeys keys_;
  std::vector<double> slots_;
  std::vector<Ciphertext> ciphertexts_;
  AlignedBuffer<Word> limb_;  // of transform_prime_
  std::uint64_t transform_prime_ = 0;
  LinearTransform plain_products_, transform_;
  std::string split_;
  std::map<std::string, Operation> operations_;
};

}  // namespace ffconv::bench
