// One operation on secrets that memcheck holds for undefined: it reports every branch and every
// address that depends on them. Run by run.py.
//
//   constant_time_check CASE
//
// `operations` is all cases without a planted leak.
//
// Every case asserts that its result is still marked before it makes it public: a mark that got
// lost would make the check pass for nothing. Exit code 1: something else is wrong than constant
// time.
#include <cmath>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "constant_time/marks.h"
#include "ffconv/base/parallel.h"
#include "ffconv/base/secret_marks.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/public_encryptor.h"
#include "ffconv/ckks/secret/decryptor.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "ffconv/ckks/secret/key_generator.h"

namespace ffconv::constant_time {
namespace {

constexpr double kScale = 0x1p40;
constexpr int kTop = 3;

ParamsSpec make_spec() {
  ParamsSpec spec =
      one_prime_a_level(10, std::vector<double>(kTop + 1, 40.0), {46.0, 46.0}, 2, kTop);
  spec.security = Security::kInsecureForTesting;
  return spec;
}

ContextPtr make_context() {
  return Context::make(Params(make_spec()));
}

void require(bool condition, const std::string& what) {
  if (!condition) {
    throw std::runtime_error(what);
  }
}

template <typename T>
void publish(const T* data, std::size_t count, const std::string& what) {
  require(is_secret(data, count * sizeof(T)), what + " is not marked as computed from secrets");
  mark_public(data, count * sizeof(T));
}

void publish(const Poly<Eval>& poly, const std::string& what) {
  publish(poly.limb(0), poly.limb_count() * poly.ring().n(), what);
}

std::vector<double> message(std::size_t n) {
  std::vector<double> slots(n);
  for (std::size_t i = 0; i < n; ++i) {
    slots[i] = std::sin(static_cast<double>(i));
  }
  return slots;
}

Plaintext secret_plaintext(const Context& context) {
  const std::vector<double> slots = message(context.n());
  mark_secret(slots.data(), slots.size() * sizeof(double));
  return encode(context, slots, kScale, kTop);
}

void require_message(const std::vector<double>& slots) {
  const std::vector<double> expected = message(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    require(std::abs(slots[i] - expected[i]) < 0x1p-10, "decryption: wrong value");
  }
}

void generate_keys() {
  const SecretKey secret = SecretKey::generate(make_context());
  require(is_secret(secret.limb(0), secret.context()->n() * sizeof(Word)), "the key is not marked");
  const KeyGenerator generator(secret);
  publish(generator.public_key(kTop).b, "public key");
  publish(generator.relinearization_key(kTop).pairs.get(0, KeyPairs::Half::kB),
          "relinearization key");
  publish(generator.rotation_key(1, kTop).key.pairs.get(0, KeyPairs::Half::kB), "rotation key");
  const SecretKey small = SecretKey::generate(Context::make(Params(halved(make_spec(), kTop))));
  publish(generator.ring_switching_key(small, kTop).key.pairs.get(0, KeyPairs::Half::kB),
          "descending key");
  publish(KeyGenerator(small).ring_switching_key(secret, kTop).key.pairs.get(0, KeyPairs::Half::kB),
          "ascending key");
}

void read_key() {
  const ContextPtr context = make_context();
  const std::vector<std::int8_t> coefficients(context->n(), 1);
  mark_secret(coefficients.data(), coefficients.size());
  const SecretKey secret = SecretKey::from_coefficients(context, coefficients);
  publish(secret.limb(0), context->n(), "limb of the key");
}

void encode_message() {
  publish(secret_plaintext(*make_context()).poly, "plaintext");
}

void encrypt_with_secret_key() {
  const SecretKey secret = SecretKey::generate(make_context());
  const Ciphertext c = encrypt(secret, secret_plaintext(*secret.context()));
  publish(c.polys[0], "c_0");
  require(!is_secret(c.polys[1].limb(0), c.polys[1].ring().n() * sizeof(Word)), "c_1 is public");
}

void encrypt_with_public_key() {
  const SecretKey secret = SecretKey::generate(make_context());
  const PublicKey key = KeyGenerator(secret).public_key(kTop);
  publish(key.b, "public key");
  const Ciphertext c = encrypt(secret.context(), key, secret_plaintext(*secret.context()));
  publish(c.polys[0], "c_0");
  publish(c.polys[1], "c_1");
}

void decrypt_message() {
  const SecretKey secret = SecretKey::generate(make_context());
  Ciphertext c =
      encrypt(secret, encode(*secret.context(), message(secret.context()->n()), kScale, kTop));
  publish(c.polys[0], "c_0");
  const std::vector<double> raw = decrypt_raw(secret, c);
  publish(raw.data(), raw.size(), "raw slots");
  require_message(raw);
  const SharedResult shared = decrypt(secret, c);
  publish(shared.slots.data(), shared.slots.size(), "shared slots");
  require_message(shared.slots);
  // As an unrelinearized product has it.
  c.polys.push_back(c.polys[1]);
  const std::vector<double> three = decrypt_raw(secret, c);
  publish(three.data(), three.size(), "slots of three polynomials");
}

// Leaks that the check must find: a table looked up at a secret place, and a secret condition. Kept
// out of line, so that a report names them, and volatile, so that they stay what they say.
[[gnu::noinline]] int planted_address(const std::int8_t* secret) {
  static const volatile int kTable[3] = {5, 6, 7};
  return kTable[secret[0] + 1];
}

[[gnu::noinline]] int planted_branch(const std::int8_t* secret) {
  static volatile int count = 0;
  if (secret[0] == 1) {
    count = count + 1;
  }
  return count;
}

template <typename Leak>
void leak_from_key(const Leak& leak) {
  const SecretKey secret = SecretKey::generate(make_context());
  const volatile int result = leak(secret.coefficients().data());
  static_cast<void>(result);
}

void all_operations();

const std::map<std::string, void (*)()> kCases = {
    {"operations", all_operations},
    {"generate_keys", generate_keys},
    {"read_key", read_key},
    {"encode", encode_message},
    {"encrypt_secret", encrypt_with_secret_key},
    {"encrypt_public", encrypt_with_public_key},
    {"decrypt", decrypt_message},
    {"planted_address", [] { leak_from_key(planted_address); }},
    {"planted_branch", [] { leak_from_key(planted_branch); }},
};

void all_operations() {
  for (const auto& [name, run_case] : kCases) {
    if (name != "operations" && name.rfind("planted_", 0) != 0) {
      run_case();
    }
  }
}

int run(const std::string& name) {
  const auto found = kCases.find(name);
  if (found == kCases.end()) {
    std::fprintf(stderr, "unknown case %s\n", name.c_str());
    return 1;
  }
  try {
    require(checked(), "expected to run under valgrind");
    set_thread_count(1);
    found->second();
    std::printf("%s: done in tier %s\n", name.c_str(), active_kernels().name.data());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), error.what());
    return 1;
  }
}

}  // namespace
}  // namespace ffconv::constant_time

int main(int argc, char** argv) {
  return ffconv::constant_time::run(argc == 2 ? argv[1] : "");
}
