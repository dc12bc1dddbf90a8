// Ciphertexts: edits of a fresh one and a product.

#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "ffconv/wire/ciphertexts_file.h"
#include "fuzz/wire_fuzz.h"
#include "support/program_builder.h"

namespace {

using namespace ffconv;

const ContextPtr& context() {
  static const ContextPtr context = Context::make(Params(testing::smallest_secure_spec()));
  return context;
}

const std::vector<std::uint8_t>& valid() {
  static const auto file = [] {
    const SecretKey secret = SecretKey::generate(context());
    const std::vector<double> slots = {0.5, -0.25};
    const Ciphertext fresh = encrypt(secret, encode(*context(), slots, 64.0, 0));
    return wire::to_bytes(std::vector<Ciphertext>{fresh, square(fresh)}, wire::kNoBundle);
  }();
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const wire::Opened base = wire::open(valid(), wire::Kind::kCiphertexts, "valid ciphertexts");
  fuzz::parse_and_compare(
      fuzz::sealed(fuzz::edited(base.payload, {data, size}), base.header),
      [](const auto& bytes) {
        return wire::parse_ciphertexts(bytes, context(), wire::kNoBundle, "fuzz input");
      },
      [](const std::vector<Ciphertext>& ciphertexts) {
        return wire::to_bytes(ciphertexts, wire::kNoBundle);
      });
  return 0;
}
