#include "exchange.h"

#include <algorithm>
#include <utility>

#include "ffconv/base/error.h"

namespace ffconv::interop {
namespace {

using nlohmann::json;

json limbs_of(const Poly<Eval>& poly) {
  const Poly<Coeff> coefficients = to_coeff(Poly<Eval>(poly));
  const Ring& ring = poly.ring();
  json limbs = json::array();
  AlignedBuffer<std::uint64_t> residues(ring.n());
  for (std::size_t i = 0; i < coefficients.limb_count(); ++i) {
    ring.kernels().export_limb(residues.data(), coefficients.limb(i), ring.n(),
                               coefficients.tables(i));
    limbs.push_back(std::vector<std::uint64_t>(residues.begin(), residues.end()));
  }
  return limbs;
}

Poly<Coeff> poly_from(const Context& context, int level, const json& limbs) {
  const Ring& ring = context.ring();
  Poly<Coeff> poly(ring, context.q_basis(level));
  if (limbs.size() != poly.limb_count()) {
    fail(ErrorCode::kFormat, "polynomial of level {}: expected {} limbs, got {}", level,
         poly.limb_count(), limbs.size());
  }
  AlignedBuffer<std::uint64_t> aligned(ring.n());
  for (std::size_t i = 0; i < limbs.size(); ++i) {
    const auto residues = limbs[i].get<std::vector<std::uint64_t>>();
    const std::uint64_t q = poly.tables(i).q;
    const bool canonical = std::all_of(residues.begin(), residues.end(),
                                       [q](std::uint64_t residue) { return residue < q; });
    if (residues.size() != ring.n() || !canonical) {
      fail(ErrorCode::kFormat, "limb {}: expected {} residues below {}", i, ring.n(), q);
    }
    std::copy(residues.begin(), residues.end(), aligned.begin());
    ring.kernels().import_limb(poly.limb(i), aligned.data(), ring.n(), poly.tables(i));
  }
  return poly;
}

}  // namespace

json to_json(const Ciphertext& ciphertext) {
  json polys = json::array();
  for (const Poly<Eval>& poly : ciphertext.polys) {
    polys.push_back(limbs_of(poly));
  }
  return {{"level", ciphertext.level}, {"scale", ciphertext.scale}, {"polys", std::move(polys)}};
}

json to_json(const Plaintext& plaintext) {
  return {{"level", plaintext.level},
          {"scale", plaintext.scale},
          {"polys", json::array({limbs_of(plaintext.poly)})}};
}

Ciphertext ciphertext_from_json(const ContextPtr& context, const json& json) {
  Ciphertext ciphertext;
  ciphertext.context = context;
  ciphertext.level = json.at("level").get<int>();
  ciphertext.scale = json.at("scale").get<double>();
  for (const auto& limbs : json.at("polys")) {
    ciphertext.polys.push_back(to_eval(poly_from(*context, ciphertext.level, limbs)));
  }
  return ciphertext;
}

Poly<Coeff> plaintext_from_json(const Context& context, const json& json) {
  return poly_from(context, json.at("level").get<int>(), json.at("polys").at(0));
}

}  // namespace ffconv::interop
