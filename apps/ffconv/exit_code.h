// What the program tells its caller.
#pragma once

namespace ffconv::cli {

// Thrown by a subcommand whose output is complete but says that something is wrong.
struct ExitCode {
  static constexpr int kSuccess = 0;
  static constexpr int kFailure = 1;
  static constexpr int kUsage = 2;  // the command line itself is wrong

  int code = kSuccess;
};

}  // namespace ffconv::cli
