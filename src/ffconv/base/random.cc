#include "ffconv/base/random.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <sodium.h>

#include "ffconv/base/error.h"
#include "ffconv/base/secret_marks.h"

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

Seed secret_seed() {
  const Seed seed = random_seed();
  mark_secret(seed.data(), seed.size());
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

void SeededStream::write_blocks(std::span<std::uint8_t> out) {
  std::ranges::fill(out, std::uint8_t{0});
  crypto_stream_chacha20_ietf_xor_ic(out.data(), out.data(), out.size(), nonce_.data(), block_,
                                     seed_.data());
  block_ += static_cast<std::uint32_t>(out.size() / kBlockBytes);
}

void SeededStream::fill(std::span<std::uint8_t> out) {
  const auto take = [&] {
    const std::size_t count = std::min(out.size(), kBufferBytes - position_);
    std::memcpy(out.data(), buffer_.data() + position_, count);
    position_ += count;
    out = out.subspan(count);
  };
  take();
  if (out.size() >= kBufferBytes) {
    const std::size_t whole = out.size() / kBlockBytes * kBlockBytes;
    write_blocks(out.first(whole));
    out = out.subspan(whole);
  }
  if (!out.empty()) {
    write_blocks(buffer_);
    position_ = 0;
    take();
  }
}

void SeededStream::fill(std::span<std::uint64_t> out) {
  fill(std::span(reinterpret_cast<std::uint8_t*>(out.data()), out.size_bytes()));
  if constexpr (std::endian::native == std::endian::big) {
    for (std::uint64_t& word : out) {
      word = __builtin_bswap64(word);
    }
  }
}

std::uint64_t SeededStream::next_u64() {
  std::uint64_t word;
  fill(std::span(&word, 1));
  return word;
}

}  // namespace ffconv
