// Server bundles: edits of a small valid one. A program that is accepted must also run.

#include "ffconv/backend/clear.h"
#include "ffconv/wire/bundle_file.h"
#include "fuzz/wire_fuzz.h"
#include "support/program_builder.h"

namespace {

using namespace ffconv;

const std::vector<std::uint8_t>& valid() {
  static const auto file = wire::to_bytes(
      wire::make_bundle(testing::small_program(testing::smallest_secure_spec(), 64.0, 0.25),
                        "small", {{1, 2, 2}}, {"dark", "bright"}));
  return file;
}

void run(const runtime::ServerBundle& bundle) {
  if (bundle.program.params.log_n <= 12 && bundle.input_shape.size() <= 1024) {
    const std::vector<double> image(bundle.input_shape.size(), 0.5);
    backend::run_clear(bundle.program, image, bundle.class_names.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const wire::Opened base = wire::open(valid(), wire::Kind::kServerBundle, "valid bundle");
  const auto payload = fuzz::edited(base.payload, {data, size});
  fuzz::parse_and_compare(
      fuzz::sealed(payload,
                   {wire::Kind::kServerBundle, base.header.params, wire::blake2b(payload)}),
      [](const auto& bytes) {
        auto bundle = wire::parse_server_bundle(bytes, "fuzz input");
        run(bundle);
        return bundle;
      },
      [](const runtime::ServerBundle& bundle) { return wire::to_bytes(bundle); });
  return 0;
}
