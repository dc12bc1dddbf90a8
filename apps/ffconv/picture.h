// Small pictures drawn in a terminal, two rows of pixels in each line of text.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "ffconv/model/shape.h"
#include "terminal.h"

namespace ffconv::cli {

// The image of shape {C, H, W}, 0 to 255, shrunk to `columns` x `columns` pixels by averaging:
// columns / 2 lines of `columns` characters. Upper half blocks whose two colours are two pixels,
// red, green and blue where there are three channels, else the grey of their mean; without colours
// one character of rising darkness for the mean of two pixels. `columns` is even.
std::vector<std::string> draw(std::span<const double> image, const model::Shape& shape,
                              std::size_t columns, Colours colours);

}  // namespace ffconv::cli
