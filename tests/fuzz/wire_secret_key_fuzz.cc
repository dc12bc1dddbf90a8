// Secret keys: payloads of the right and of other sizes.

#include "ffconv/wire/secret/secret_key_file.h"
#include "fuzz/wire_fuzz.h"
#include "support/program_builder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ffconv;
  static const ContextPtr context = Context::make(Params(testing::smallest_secure_spec()));
  // The input, repeated to the size of a key, but for every sixteenth.
  std::vector<std::uint8_t> payload(data, data + size);
  if (size > 0 && data[0] % 16 != 0) {
    for (std::size_t i = 0; payload.size() < context->n() / 4; ++i) {
      payload.push_back(payload[i]);
    }
  }
  const auto file =
      fuzz::sealed(payload, {wire::Kind::kSecretKey, context->params().fingerprint()});
  try {
    const SecretKey secret = wire::parse_secret_key(file, context, "fuzz input");
    fuzz::require(std::ranges::all_of(secret.coefficients(),
                                      [](std::int8_t x) { return x >= -1 && x <= 1; }));
  } catch (const Error& error) {
    fuzz::require(error.code() == ErrorCode::kFormat);
  }
  return 0;
}
