#include "ffconv/wire/keys_file.h"

#include <functional>
#include <utility>

#include "ffconv/base/error.h"
#include "ffconv/base/pages.h"
#include "ffconv/base/posix_file.h"
#include "ffconv/wire/residues.h"

namespace ffconv::wire {
namespace {

constexpr std::size_t kKeyHeadBytes = 1 + sizeof(Seed);
constexpr std::size_t kStepBytes = 4;

std::size_t switching_key_bytes(const Params& params, int level) {
  return kKeyHeadBytes +
         static_cast<std::size_t>(params.digit_count(level)) * poly_bytes(params, level, true);
}

void write_key(ByteWriter& writer, const SwitchingKey& key, const Context& context) {
  if (&key.pairs.ring() != &context.ring()) {
    fail(ErrorCode::kMismatch, "evaluation keys: expected keys of the given parameters only");
  }
  writer.u8(static_cast<std::uint8_t>(key.level));
  writer.bytes(key.seed);
  for (std::size_t digit = 0; digit < key.pairs.digit_count(); ++digit) {
    write_poly(writer, key.pairs.get(digit, KeyPairs::Half::kB));
  }
}

SwitchingKey read_key(ByteReader& reader, const Context& context) {
  SwitchingKey key;
  key.level = reader.u8();
  if (!context.params().has_keys(key.level)) {
    reader.reject(fmt::format("expected a key of a level of 0 to {} that carries keys, got {}",
                              context.params().max_key_level(), key.level));
  }
  std::ranges::copy(reader.bytes(key.seed.size()), key.seed.begin());
  const Basis basis = context.qp_basis(key.level);
  key.pairs = KeyPairs(context.ring(), basis, context.params().digit_count(key.level));
  for (std::size_t digit = 0; digit < key.pairs.digit_count(); ++digit) {
    key.pairs.set(digit, KeyPairs::Half::kB, read_poly(reader, context.ring(), basis));
    key.pairs.set(digit, KeyPairs::Half::kA, expand(key.seed, key.level, digit, context));
  }
  return key;
}

// `read_on` hears how many bytes are left of the payload, after each key.
EvaluationKeys parse(std::span<const std::uint8_t> file, const ContextPtr& context,
                     const Fingerprint& bundle, const std::string& what,
                     const std::function<void(std::size_t)>& read_on) {
  const Opened opened = open(file, Kind::kEvaluationKeys, what);
  expect_params(opened.header, context->params().fingerprint(), what);
  expect_bundle(opened.header, bundle, what);
  ByteReader reader(opened.payload, what);
  EvaluationKeys keys;
  int previous_level = -1;
  for (std::size_t left = reader.count(kKeyHeadBytes); left > 0; --left) {
    SwitchingKey key = read_key(reader, *context);
    if (key.level <= previous_level) {
      reader.reject(
          fmt::format("expected relinearization keys of ascending levels, got {} after {}",
                      key.level, previous_level));
    }
    previous_level = key.level;
    keys.relinearization.emplace(previous_level, std::move(key));
    read_on(reader.remaining());
  }
  std::pair<int, int> previous{0, context->params().max_level()};
  for (std::size_t left = reader.count(kStepBytes + kKeyHeadBytes); left > 0; --left) {
    const std::int32_t step = reader.i32();
    if (step < previous.first || static_cast<std::size_t>(step) >= context->n()) {
      reader.reject(fmt::format("expected ascending rotation steps below {}, got {} after {}",
                                context->n(), step, previous.first));
    }
    RotationKey key{read_key(reader, *context),
                    context->ring().rotation(static_cast<std::size_t>(step))};
    const std::pair<int, int> next{step, key.key.level};
    if (next <= previous) {
      reader.reject(fmt::format("expected keys for rotations by {} of ascending levels, got {}",
                                step, next.second));
    }
    previous = next;
    keys.rotations.emplace(next, std::move(key));
    read_on(reader.remaining());
  }
  reader.expect_end();
  return keys;
}

}  // namespace

std::vector<std::uint8_t> to_bytes(const EvaluationKeys& keys, const ContextPtr& context,
                                   const Fingerprint& bundle) {
  ByteWriter writer = begin_file();
  writer.u32(static_cast<std::uint32_t>(keys.relinearization.size()));
  for (const auto& [level, key] : keys.relinearization) {
    write_key(writer, key, *context);
  }
  writer.u32(static_cast<std::uint32_t>(keys.rotations.size()));
  for (const auto& [step_level, key] : keys.rotations) {
    writer.i32(step_level.first);
    write_key(writer, key.key, *context);
  }
  return end_file(std::move(writer),
                  {Kind::kEvaluationKeys, context->params().fingerprint(), bundle});
}

EvaluationKeys parse_evaluation_keys(std::span<const std::uint8_t> file, const ContextPtr& context,
                                     const Fingerprint& bundle, const std::string& what) {
  return parse(file, context, bundle, what, [](std::size_t) {});
}

void save(const std::filesystem::path& path, const EvaluationKeys& keys, const ContextPtr& context,
          const Fingerprint& bundle) {
  write_file(path, to_bytes(keys, context, bundle));
}

EvaluationKeys load_evaluation_keys(const std::filesystem::path& path, const ContextPtr& context,
                                    const Fingerprint& bundle) {
  // Keys take more memory than their file; what is read of it goes as they come.
  std::vector<std::uint8_t> file = read_file(path);
  return parse(file, context, bundle, path.string(), [&](std::size_t left) {
    forget_pages(std::span(file).first(file.size() - kChecksumBytes - left));
  });
}

std::uint64_t key_bytes(const Params& params, const plan::KeyRequest& request) {
  std::uint64_t bytes = kFrameBytes + 4 + 4;
  for (const std::int32_t level : request.relinearization) {
    bytes += switching_key_bytes(params, level);
  }
  for (const auto& [step, level] : request.rotations) {
    bytes += kStepBytes + switching_key_bytes(params, level);
  }
  return bytes;
}

}  // namespace ffconv::wire
