// How long work reports where it stands. The library never prints: the caller passes a callback.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace ffconv {

// Called with the name of the stage, the units done and the units in all (0 < done <= total). May
// be called from any thread, never from two at once. An empty function means that nobody listens.
using Progress = std::function<void(std::string_view stage, std::size_t done, std::size_t total)>;

}  // namespace ffconv
