// One small network with everything that is exchanged about it, in memory: what the tests of files
// store.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ffconv/ckks/evaluator.h"
#include "ffconv/runtime/secret/client.h"
#include "ffconv/wire/bundle_file.h"
#include "ffconv/wire/ciphertexts_file.h"
#include "ffconv/wire/file.h"
#include "ffconv/wire/keys_file.h"
#include "ffconv/wire/parameters_file.h"
#include "support/program_builder.h"

namespace ffconv::testing {

inline runtime::ServerBundle small_bundle() {
  return wire::make_bundle(small_program(smallest_secure_spec(), 64.0, 0.25), "small", {{1, 2, 2}},
                           {"dark", "bright"});
}

struct SmallExchange {
  runtime::ServerBundle bundle = small_bundle();
  runtime::Client client{runtime::client_bundle(bundle)};
  SecretKey secret = client.generate_secret();
  EvaluationKeys keys = client.generate_evaluation_keys(secret);
  std::vector<Ciphertext> inputs =
      client.encrypt(secret, std::vector<double>{0.25, 0.5, 0.75, 1.0});

  const ContextPtr& context() const { return client.context(); }
};

// Made once: keys take a while.
inline const SmallExchange& small_exchange() {
  static const SmallExchange exchange;
  return exchange;
}

// A kind of file: its name, a small example of it, and its parser.
struct FileCase {
  std::string name;
  std::function<std::vector<std::uint8_t>()> bytes;
  std::function<void(std::span<const std::uint8_t>)> parse;
};

inline std::vector<FileCase> file_cases() {
  const auto context = [] { return small_exchange().context(); };
  const auto fingerprint = [] { return small_exchange().bundle.fingerprint; };
  return {
      {"parameters", [=] { return wire::to_bytes(context()->params()); },
       [](auto file) { wire::parse_parameters(file, "test"); }},
      {"ciphertexts", [=] { return wire::to_bytes(small_exchange().inputs, fingerprint()); },
       [=](auto file) { wire::parse_ciphertexts(file, context(), fingerprint(), "test"); }},
      {"results",
       [=] {
         const Ciphertext& input = small_exchange().inputs[0];
         return wire::to_bytes(std::vector{add(input, input), square(input)}, fingerprint());
       },
       [=](auto file) { wire::parse_ciphertexts(file, context(), fingerprint(), "test"); }},
      {"keys", [=] { return wire::to_bytes(small_exchange().keys, context(), fingerprint()); },
       [=](auto file) { wire::parse_evaluation_keys(file, context(), fingerprint(), "test"); }},
      {"server_bundle", [] { return wire::to_bytes(small_exchange().bundle); },
       [](auto file) { wire::parse_server_bundle(file, "test"); }},
      {"client_bundle", [] { return wire::to_bytes(small_exchange().client.bundle()); },
       [](auto file) { wire::parse_client_bundle(file, "test"); }},
  };
}

// `file` with its checksum, and its bundle fingerprint where it is a server bundle, made right for
// the payload: what an adversary would send.
inline void reseal(std::span<std::uint8_t> file) {
  wire::Header header{};
  ByteReader reader(file.subspan(8), "test");
  header.kind = static_cast<wire::Kind>(reader.u16());
  reader.u16();
  std::ranges::copy(reader.bytes(32), header.params.begin());
  std::ranges::copy(reader.bytes(32), header.bundle.begin());
  if (header.kind == wire::Kind::kServerBundle) {
    header.bundle =
        wire::blake2b(file.subspan(wire::kHeaderBytes, file.size() - wire::kFrameBytes));
  }
  wire::seal(file, header);
}

}  // namespace ffconv::testing
