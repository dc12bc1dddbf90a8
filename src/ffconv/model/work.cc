#include "ffconv/model/work.h"

namespace ffconv::model {

std::size_t multiply_accumulates(const Linear& linear) {
  if (const Convolution* conv = linear.convolution()) {
    return conv->weights.size() * linear.out.height() * linear.out.width();
  }
  const auto* dense = std::get_if<Dense>(&linear.map);
  return dense != nullptr ? dense->weights.size() : linear.out.size();
}

std::size_t hma(const Linear& linear) {
  if (const Convolution* conv = linear.convolution()) {
    return conv->weights.size();
  }
  const auto* dense = std::get_if<Dense>(&linear.map);
  return dense != nullptr ? dense->weights.size() : linear.out.channels();
}

}  // namespace ffconv::model
