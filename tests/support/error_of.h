// The message of an expected error.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "ffconv/base/error.h"

namespace ffconv::testing {

// The message of the Error with `code` that `action` throws. Where it throws none or another code,
// the test fails and the result is empty or that error's message.
template <typename Action>
std::string error_of(ErrorCode code, Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(to_string(error.code()), to_string(code)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "expected an error: " << to_string(code);
  return "";
}

}  // namespace ffconv::testing
