// Plaintexts and ciphertexts as JSON, in a form that no implementation owns: polynomials in
// coefficient form, basis 1, X^i + X^-i; one list of canonical residues a prime, q_0 first.
#pragma once

#include <nlohmann/json.hpp>

#include "ffconv/ckks/ciphertext.h"

namespace ffconv::interop {

// {"level", "scale", "polys": [[residues of q_0, residues of q_1, ...], ...]}.
nlohmann::json to_json(const Ciphertext& ciphertext);
nlohmann::json to_json(const Plaintext& plaintext);

// Throws kFormat where a length or a residue does not fit the parameters.
Ciphertext ciphertext_from_json(const ContextPtr& context, const nlohmann::json& json);

// The only polynomial of a plaintext in that form.
Poly<Coeff> plaintext_from_json(const Context& context, const nlohmann::json& json);

}  // namespace ffconv::interop
