// Names from foreign files in messages: quoted, short and printable.
#pragma once

#include <string>
#include <string_view>

namespace ffconv::model {

// 'name', cut after 80 bytes; bytes outside printable ASCII become '?'.
std::string quote(std::string_view name);

}  // namespace ffconv::model
