#include "ffconv/base/posix_file.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/temporary_directory.h"

namespace ffconv {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

const std::vector<std::uint8_t> kBytes{'a', 0, 255, '\n'};

TEST(PosixFile, IsReadAsWritten) {
  const testing::TemporaryDirectory directory;
  const auto path = directory.path() / "file";
  write_file(path, kBytes);
  EXPECT_EQ(read_file(path), kBytes);
  write_file(path, std::vector<std::uint8_t>{});  // replaces it
  EXPECT_TRUE(read_file(path).empty());
}

TEST(PosixFile, NothingIsLeftWhereWritingFails) {
  const testing::TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() / "taken");
  std::ofstream(directory.path() / "taken" / "inside") << "x";
  const std::string message =
      error_of(ErrorCode::kIo, [&] { write_file(directory.path() / "taken", kBytes); });
  EXPECT_THAT(message, HasSubstr((directory.path() / "taken").string() + ": "));
  EXPECT_EQ(directory.entries(), std::vector<std::string>{"taken"});
}

TEST(PosixFile, MissingFilesAndDirectoriesAreNamed) {
  const testing::TemporaryDirectory directory;
  const auto missing = directory.path() / "missing";
  EXPECT_EQ(error_of(ErrorCode::kIo, [&] { read_file(missing); }),
            missing.string() + ": No such file or directory");
  EXPECT_EQ(error_of(ErrorCode::kIo, [&] { write_file(missing / "x", kBytes); }),
            (missing / "x").string() + ": No such file or directory");
  EXPECT_THAT(error_of(ErrorCode::kIo, [&] { read_file(directory.path()); }),
              HasSubstr("expected a regular file"));
}

TEST(PosixFile, APipeIsRefusedAndNotWaitedFor) {
  const testing::TemporaryDirectory directory;
  const auto pipe = directory.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(error_of(ErrorCode::kIo, [&] { read_file(pipe); }),
              HasSubstr("expected a regular file"));
}

}  // namespace
}  // namespace ffconv
