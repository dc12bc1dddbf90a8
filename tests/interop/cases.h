// The computations that both sides carry out on x and y, and what must come of them.
//
// The program in lattigo/ has the same list, written on its own: names, slots, levels and scales
// are agreed by comparison, not by sharing code.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/secret/secret_key.h"

namespace ffconv::interop {

// One parameter set with the secret and the messages that its seed gives.
struct Setup {
  ContextPtr context;
  SecretKey secret;
  std::uint64_t seed;
  double scale;
  double required_bits;      // smallest -log2 |error| accepted of any slot of an input
  std::vector<double> x, y;  // in [-1, 1)
};

// Set 0: N = 2^13, one special prime. Set 1: N = 2^14, digits of two primes. Both at 128 bits.
inline constexpr int kSetCount = 2;
Setup make_setup(int set);

struct Expected {
  std::vector<double> slots;
  int level;
  double scale;
  // By how many bits the error of an input may have grown.
  double growth_bits = 0.0;
};

// By case name, from the definition: no encryption here.
std::map<std::string, Expected> expectations(const Setup& setup);

// Fresh encryptions: fresh_secret of x, fresh_public of y.
std::map<std::string, Ciphertext> encrypt_messages(const Setup& setup);

// Every other case, computed from encryptions of x and y with fresh evaluation keys.
std::map<std::string, Ciphertext> evaluate(const Setup& setup, const Ciphertext& x,
                                           const Ciphertext& y);

}  // namespace ffconv::interop
