// Parameters: payloads sealed with the fingerprint that their description has, where it has one.

#include "ffconv/wire/parameters_file.h"
#include "fuzz/wire_fuzz.h"

namespace {

using namespace ffconv;

wire::Fingerprint described(std::span<const std::uint8_t> payload) {
  try {
    ByteReader reader(payload, "fuzz input");
    return Params(wire::read_spec(reader)).fingerprint();
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> payload(data, size);
  fuzz::parse_and_compare(
      fuzz::sealed(payload, {wire::Kind::kParameters, described(payload)}),
      [](const auto& bytes) { return wire::parse_parameters(bytes, "fuzz input"); },
      [](const Params& params) { return wire::to_bytes(params); });
  return 0;
}
