#include "ffconv/wire/secret/secret_key_file.h"

#include <filesystem>
#include <fstream>
#include <vector>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/base/posix_file.h"
#include "ffconv/wire/file.h"
#include "support/error_of.h"
#include "support/program_builder.h"
#include "support/temporary_directory.h"

namespace ffconv::wire {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

class SecretKeyFile : public ::testing::Test {
 protected:
  // Writes `bytes` with mode 0600, whatever they are.
  void forge(std::span<const std::uint8_t> bytes) {
    std::filesystem::remove(path_);
    std::ofstream file(path_, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    file.close();
    chmod(path_.c_str(), 0600);
  }

  const testing::TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_.path() / "secret.key";
  const ContextPtr context_ = Context::make(Params(testing::smallest_secure_spec()));
  const SecretKey secret_ = SecretKey::generate(context_);
};

TEST_F(SecretKeyFile, GivesTheKeyBack) {
  save(path_, secret_);
  const SecretKey back = load_secret_key(path_, context_);
  EXPECT_TRUE(std::ranges::equal(back.coefficients(), secret_.coefficients()));
}

TEST_F(SecretKeyFile, TakesTwoBitsACoefficient) {
  save(path_, secret_);
  EXPECT_EQ(std::filesystem::file_size(path_), kFrameBytes + context_->n() / 4);
}

TEST_F(SecretKeyFile, IsForItsOwnerAloneWhateverTheUmask) {
  const ::mode_t before = umask(0);
  save(path_, secret_);
  umask(before);
  struct ::stat status;
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_EQ(directory_.entries(), std::vector<std::string>{"secret.key"});
}

TEST_F(SecretKeyFile, IsNeverOverwritten) {
  save(path_, secret_);
  const SecretKey other = SecretKey::generate(context_);
  EXPECT_EQ(error_of(ErrorCode::kIo, [&] { save(path_, other); }),
            path_.string() + ": exists already and is not overwritten");
  EXPECT_EQ(directory_.entries(), std::vector<std::string>{"secret.key"});
  EXPECT_TRUE(
      std::ranges::equal(load_secret_key(path_, context_).coefficients(), secret_.coefficients()));
}

TEST_F(SecretKeyFile, IsRefusedWhereOthersHaveAccess) {
  save(path_, secret_);
  for (const ::mode_t mode : {0640u, 0604u, 0620u, 0602u, 0644u, 0666u, 0610u}) {
    chmod(path_.c_str(), mode);
    EXPECT_THAT(error_of(ErrorCode::kPermission, [&] { load_secret_key(path_, context_); }),
                HasSubstr(fmt::format("got mode {:04o}", mode)));
  }
  chmod(path_.c_str(), 0400);
  EXPECT_NO_THROW(load_secret_key(path_, context_));
}

TEST_F(SecretKeyFile, OfOtherParametersIsRefused) {
  save(path_, secret_);
  ParamsSpec spec = testing::smallest_secure_spec();
  spec.levels[1].special.clear();
  EXPECT_THAT(
      error_of(ErrorCode::kMismatch, [&] { load_secret_key(path_, Context::make(Params(spec))); }),
      HasSubstr("secret.key: made for parameters "));
}

TEST_F(SecretKeyFile, TruncatedOrAlteredIsRefused) {
  save(path_, secret_);
  const auto file = read_file(path_);
  for (std::size_t size = 0; size < file.size(); size += 7) {
    forge(std::span(file).first(size));
    error_of(ErrorCode::kFormat, [&] { load_secret_key(path_, context_); });
  }
  for (std::size_t i = 0; i < file.size(); i += 5) {
    auto altered = file;
    altered[i] ^= 0x40;
    forge(altered);
    error_of(ErrorCode::kFormat, [&] { load_secret_key(path_, context_); });
  }
}

TEST_F(SecretKeyFile, TheUnusedCodeIsRefused) {
  save(path_, secret_);
  auto file = read_file(path_);
  file[kHeaderBytes + 17] |= 0x0c;
  seal(file, {Kind::kSecretKey, context_->params().fingerprint()});
  forge(file);
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { load_secret_key(path_, context_); }),
              HasSubstr("-1, 0 and 1 only"));
}

TEST_F(SecretKeyFile, LargerThanAnyKeyIsRefusedUnread) {
  forge(std::vector<std::uint8_t>(100000));
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { load_secret_key(path_, context_); }),
              HasSubstr("at most"));
}

TEST_F(SecretKeyFile, WithAMissingHalfIsRefusedEvenIfSealed) {
  std::vector<std::uint8_t> file(kFrameBytes + context_->n() / 8);
  seal(file, {Kind::kSecretKey, context_->params().fingerprint()});
  forge(file);
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { load_secret_key(path_, context_); }),
              HasSubstr("expected 628 bytes, got 372"));
}

}  // namespace
}  // namespace ffconv::wire
