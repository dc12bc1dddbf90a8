#include "ffconv/base/random.h"

#include <algorithm>
#include <cstring>

#include <sodium.h>

#include "ffconv/base/error.h"

namespace ffconv {

void ensure_sodium() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) {
    fail(ErrorCode::kIo, "libsodium found no source of randomness");
  }
}

void random_bytes(std::span<std::uint8_t> out) {
  ensure_sodium();
  randombytes_buf(out.data(), out.size());
}

Seed random_seed() {
  Seed seed;
  random_bytes(seed);
  return seed;
}

SeededStream::SeededStream(const Seed& seed, std::uint64_t stream) : seed_(seed) {
  ensure_sodium();
  for (std::size_t i = 0; i < 8; ++i) {
    nonce_[4 + i] = static_cast<std::uint8_t>(stream >> (8 * i));
  }
}

SeededStream::~SeededStream() {
  sodium_memzero(seed_.data(), seed_.size());
  sodium_memzero(buffer_.data(), buffer_.size());
}

void SeededStream::refill() {
  buffer_.fill(0);
  crypto_stream_chacha20_ietf_xor_ic(buffer_.data(), buffer_.data(), buffer_.size(), nonce_.data(),
                                     block_, seed_.data());
  block_ += kBufferBytes / 64;
  position_ = 0;
}

void SeededStream::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    if (position_ == kBufferBytes) {
      refill();
    }
    const std::size_t chunk = std::min(out.size(), kBufferBytes - position_);
    std::memcpy(out.data(), buffer_.data() + position_, chunk);
    position_ += chunk;
    out = out.subspan(chunk);
  }
}

std::uint64_t SeededStream::next_u64() {
  std::array<std::uint8_t, 8> bytes;
  fill(bytes);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    value |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  }
  return value;
}

}  // namespace ffconv
