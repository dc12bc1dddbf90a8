#include "ffconv/model/image.h"

#include <memory>

// Only the formats named in the header, kept private to this file.
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNM
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS (1 << 14)
#include <stb/stb_image.h>

#include "ffconv/base/error.h"
#include "ffconv/model/read_file.h"

namespace ffconv::model {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 27;
constexpr std::size_t kMaxPixels = std::size_t{1} << 24;

struct File {
  std::filesystem::path path;
  std::vector<std::uint8_t> bytes;

  const stbi_uc* data() const { return bytes.data(); }
  int size() const { return static_cast<int>(bytes.size()); }
};

// The shape by the file's header: nothing is decoded yet.
Shape read_header(const File& file) {
  int width = 0;
  int height = 0;
  int channels = 0;
  if (stbi_info_from_memory(file.data(), file.size(), &width, &height, &channels) == 0 ||
      width < 1 || height < 1) {
    fail(ErrorCode::kFormat, "{}: not a PNG, PGM, PPM or JPEG image", file.path.string());
  }
  if (stbi_is_16_bit_from_memory(file.data(), file.size()) != 0) {
    fail(ErrorCode::kFormat, "{}: expected 8 bits a channel, got 16", file.path.string());
  }
  Shape shape{{static_cast<std::size_t>(channels), static_cast<std::size_t>(height),
               static_cast<std::size_t>(width)}};
  if (shape.size() > kMaxPixels) {
    fail(ErrorCode::kFormat, "{}: expected at most {} values, got {}", file.path.string(),
         kMaxPixels, to_string(shape));
  }
  return shape;
}

// Bytes of the header of a binary PGM or PPM file: the magic, three numbers, one white space.
std::size_t pnm_header_bytes(const std::vector<std::uint8_t>& bytes) {
  const auto is_space = [](std::uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  std::size_t position = 2;
  for (int number = 0; number < 3; ++number) {
    while (position < bytes.size() && (is_space(bytes[position]) || bytes[position] == '#')) {
      const bool is_comment = bytes[position] == '#';
      while (is_comment && position < bytes.size() && bytes[position] != '\n') {
        ++position;
      }
      position += is_comment ? 0 : 1;
    }
    while (position < bytes.size() && !is_space(bytes[position])) {
      ++position;
    }
  }
  return position + 1;
}

// stb_image leaves what is missing from a short PGM or PPM file uninitialized.
bool is_short_pnm(const File& file, const Shape& shape) {
  const bool is_pnm = file.bytes[0] == 'P' && (file.bytes[1] == '5' || file.bytes[1] == '6');
  return is_pnm && file.bytes.size() < pnm_header_bytes(file.bytes) + shape.size();
}

Image decode(const File& file, const Shape& shape) {
  if (is_short_pnm(file, shape)) {
    fail(ErrorCode::kFormat, "{}: damaged image, it ends too early", file.path.string());
  }
  int width = 0;
  int height = 0;
  int channels = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> decoded(
      stbi_load_from_memory(file.data(), file.size(), &width, &height, &channels, 0),
      stbi_image_free);
  const Shape got{{static_cast<std::size_t>(channels), static_cast<std::size_t>(height),
                   static_cast<std::size_t>(width)}};
  if (decoded == nullptr || got != shape) {
    fail(ErrorCode::kFormat, "{}: damaged image", file.path.string());
  }
  // Decoded pixel by pixel, channels innermost.
  Image image{shape, std::vector<std::uint8_t>(shape.size())};
  const std::size_t plane = shape.height() * shape.width();
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = decoded.get()[i % plane * shape.channels() + i / plane];
  }
  return image;
}

}  // namespace

Image read_image(const std::filesystem::path& path) {
  const File file{path, read_file(path, kMaxFileBytes)};
  return decode(file, read_header(file));
}

std::vector<double> load_image(const std::filesystem::path& path, const Shape& shape) {
  const File file{path, read_file(path, kMaxFileBytes)};
  const Shape got = read_header(file);
  if (got != shape) {
    fail(ErrorCode::kMismatch, "{}: expected an image of {} (channels x rows x columns), got {}",
         path.string(), to_string(shape), to_string(got));
  }
  const Image image = decode(file, shape);
  return {image.pixels.begin(), image.pixels.end()};
}

}  // namespace ffconv::model
