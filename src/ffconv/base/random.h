// Randomness and seed expansion, by libsodium.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace ffconv {

using Seed = std::array<std::uint8_t, 32>;

// Initializes libsodium once; every other function of the library that needs it calls this.
// Throws kIo where the system has no source of randomness.
void ensure_sodium();

// Fresh bytes from the operating system's generator.
void random_bytes(std::span<std::uint8_t> out);
// A fresh seed that will be published.
Seed random_seed();
// A fresh seed for samples that stay secret.
Seed secret_seed();

// The ChaCha20 (RFC 8439) key stream of `seed`, nonce = `stream` (8 bytes, little-endian, after 4
// zero bytes), from block 0. Used for public seeds and, with a seed that is secret, for secret
// samples. Equal (seed, stream) give equal bytes for ever: files depend on it.
class SeededStream {
 public:
  SeededStream(const Seed& seed, std::uint64_t stream);
  ~SeededStream();
  SeededStream(const SeededStream&) = delete;
  SeededStream& operator=(const SeededStream&) = delete;

  // The next bytes of the stream. Long requests are written where they are asked for, without a
  // copy: ask for kilobytes at a time.
  void fill(std::span<std::uint8_t> out);
  // As many little-endian words of 8 bytes.
  void fill(std::span<std::uint64_t> out);
  std::uint64_t next_u64();

 private:
  static constexpr std::size_t kBlockBytes = 64;  // of ChaCha20
  static constexpr std::size_t kBufferBytes = 8 * kBlockBytes;
  // Writes whole blocks; out.size() is a multiple of kBlockBytes.
  void write_blocks(std::span<std::uint8_t> out);
  Seed seed_;
  std::array<std::uint8_t, 12> nonce_{};
  std::uint32_t block_ = 0;
  std::size_t position_ = kBufferBytes;  // in buffer_; what stands before it has been given out
  std::array<std::uint8_t, kBufferBytes> buffer_;
};

}  // namespace ffconv
