// Writes a secret key and reads it back: what only the data owner's side can do.

#include <algorithm>
#include <filesystem>

#include "ffconv/wire/secret/secret_key_file.h"
#include "support/temporary_directory.h"

int main() {
  const ffconv::testing::TemporaryDirectory directory;
  const auto path = directory.path() / "secret.key";
  const auto context = ffconv::Context::make(ffconv::Params::from_depth(0, 40, 40));
  const auto secret = ffconv::SecretKey::generate(context);
  ffconv::wire::save(path, secret);
  const auto back = ffconv::wire::load_secret_key(path, context);
  return std::ranges::equal(back.coefficients(), secret.coefficients()) ? 0 : 1;
}
