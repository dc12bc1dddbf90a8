// Image files for a network's input.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "ffconv/model/shape.h"

namespace ffconv::model {

struct Image {
  Shape shape;                       // {C, H, W}; 1 channel is grey, 3 are red, green and blue
  std::vector<std::uint8_t> pixels;  // [shape.size()], channel after channel, row-major
};

// A PNG, PGM, PPM or JPEG file of 8 bits a channel.
// Throws kIo if it cannot be read, kFormat if it is damaged, has 16 bits a channel, or more than
// 2^24 pixels.
Image read_image(const std::filesystem::path& path);

// The pixels, 0 to 255, of a file whose size and channels are `shape`, {C, H, W}.
// Throws also kMismatch, naming the expected shape and the file's. Nothing is resized or converted.
std::vector<double> load_image(const std::filesystem::path& path, const Shape& shape);

}  // namespace ffconv::model
