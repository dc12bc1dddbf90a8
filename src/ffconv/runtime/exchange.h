// What client and server check of each other's ciphertexts before they touch them.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "ffconv/ckks/ciphertext.h"
#include "ffconv/runtime/bundle.h"

namespace ffconv::runtime {

// Throws kMismatch, naming both sides, unless there is one ciphertext for each of `expected`, of
// the context's parameters, with its level and scale and two polynomials. `kind` names them in
// errors.
void check_exchanged(std::span<const Ciphertext> ciphertexts,
                     std::span<const ExchangedValue> expected, const Context& context,
                     std::string_view kind);

}  // namespace ffconv::runtime
