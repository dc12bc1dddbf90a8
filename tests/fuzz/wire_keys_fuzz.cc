// Evaluation keys: edits of two small valid ones.

#include "ffconv/ckks/secret/key_generator.h"
#include "ffconv/wire/keys_file.h"
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
    const KeyGenerator generator(secret);
    EvaluationKeys keys;
    keys.relinearization.emplace(0, generator.relinearization_key(0));
    keys.rotations.emplace(std::pair(5, 1), generator.rotation_key(5, 1));
    return wire::to_bytes(keys, context(), wire::kNoBundle);
  }();
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const wire::Opened base = wire::open(valid(), wire::Kind::kEvaluationKeys, "valid keys");
  fuzz::parse_and_compare(
      fuzz::sealed(fuzz::edited(base.payload, {data, size}), base.header),
      [](const auto& bytes) {
        return wire::parse_evaluation_keys(bytes, context(), wire::kNoBundle, "fuzz input");
      },
      [](const EvaluationKeys& keys) { return wire::to_bytes(keys, context(), wire::kNoBundle); });
  return 0;
}
