// The data owner: makes keys, encrypts an image, decrypts its scores. Knows nothing of the weights.
//
//   02_client keys DIRECTORY               digits.client -> secret.key (stays here), eval.keys
//   02_client encrypt DIRECTORY IMAGE.png  secret.key, digits.client -> in.ct
//   02_client decrypt DIRECTORY            secret.key, digits.client, out.ct -> the class

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "ffconv/model/image.h"
#include "ffconv/runtime/secret/client.h"
#include "ffconv/wire/bundle_file.h"
#include "ffconv/wire/ciphertexts_file.h"
#include "ffconv/wire/keys_file.h"
#include "ffconv/wire/secret/secret_key_file.h"

namespace {

using namespace ffconv;

void make_keys(const runtime::Client& client, const std::filesystem::path& directory) {
  const SecretKey secret = client.generate_secret();
  wire::save(directory / "secret.key", secret);
  wire::save(directory / "eval.keys", client.generate_evaluation_keys(secret), client.context(),
             client.bundle().fingerprint);
}

void encrypt_image(const runtime::Client& client, const std::filesystem::path& directory,
                   const std::filesystem::path& image) {
  const SecretKey secret = wire::load_secret_key(directory / "secret.key", client.context());
  const auto pixels = model::load_image(image, client.bundle().input_shape);
  wire::save(directory / "in.ct", client.encrypt(secret, pixels), client.bundle().fingerprint);
}

void decrypt_scores(const runtime::Client& client, const std::filesystem::path& directory) {
  const SecretKey secret = wire::load_secret_key(directory / "secret.key", client.context());
  const auto result =
      wire::load_ciphertexts(directory / "out.ct", client.context(), client.bundle().fingerprint);
  const runtime::Prediction prediction = client.decrypt(secret, result);
  for (std::size_t c = 0; c < prediction.scores.size(); ++c) {
    std::printf("%s: %+.4f\n", client.bundle().class_names[c].c_str(), prediction.scores[c]);
  }
  std::printf("class %s\n", prediction.class_name.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string step = argc > 1 ? argv[1] : "";
  if (!(argc == 3 && (step == "keys" || step == "decrypt")) && !(argc == 4 && step == "encrypt")) {
    std::fprintf(stderr, "usage: %s keys DIR | encrypt DIR IMAGE | decrypt DIR\n", argv[0]);
    return 2;
  }
  const std::filesystem::path directory = argv[2];
  try {
    const runtime::Client client(wire::load_client_bundle(directory / "digits.client"));
    if (step == "keys") {
      make_keys(client, directory);
    } else if (step == "encrypt") {
      encrypt_image(client, directory, argv[3]);
    } else {
      decrypt_scores(client, directory);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
