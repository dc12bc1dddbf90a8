// Client bundles: edits of a small valid one.

#include "ffconv/wire/bundle_file.h"
#include "fuzz/wire_fuzz.h"
#include "support/program_builder.h"

namespace {

using namespace ffconv;

const std::vector<std::uint8_t>& valid() {
  static const auto file = wire::to_bytes(runtime::client_bundle(
      wire::make_bundle(testing::small_program(testing::smallest_secure_spec(), 64.0, 0.25),
                        "small", {{1, 2, 2}}, {"dark", "bright"})));
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const wire::Opened base = wire::open(valid(), wire::Kind::kClientBundle, "valid bundle");
  fuzz::parse_and_compare(
      fuzz::sealed(fuzz::edited(base.payload, {data, size}), base.header),
      [](const auto& bytes) { return wire::parse_client_bundle(bytes, "fuzz input"); },
      [](const runtime::ClientBundle& bundle) { return wire::to_bytes(bundle); });
  return 0;
}
