// Collects what stands in a network's way, so that all of it is reported at once.
#pragma once

#include <cstddef>
#include <string>

#include "ffconv/base/error.h"

namespace ffconv::model {

class Problems {
 public:
  // Runs `step` and keeps its kUnsupported error for the list; others pass. Whether there was none.
  template <typename Step>
  bool gather(const Step& step) {
    try {
      step();
      return true;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kUnsupported) {
        throw;
      }
      add(error.what());
      return false;
    }
  }

  // Throws one kUnsupported error that lists the first hundred, if there are any.
  void throw_if_any() const;

 private:
  void add(const char* problem);

  std::size_t count_ = 0;
  std::string list_;
};

}  // namespace ffconv::model
