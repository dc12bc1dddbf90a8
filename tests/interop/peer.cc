// Our side of the comparison with Lattigo (docs/interop.md).
//
//   interop_peer offer SET FILE   writes parameters, secret, messages, encodings and ciphertexts
//   interop_peer check SET FILE   checks what Lattigo wrote in answer
//
// Prints a line a check. Exit code 1 if any failed. The secret in FILE is a test's, from a printed
// seed.
#include <cmath>
#include <fstream>
#include <random>
#include <string_view>

#include <fmt/format.h>

#include "cases.h"
#include "exchange.h"
#include "ffconv/base/error.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/secret/decryptor.h"

namespace ffconv::interop {
namespace {

using nlohmann::json;

// Slots from coefficients, in bits of the largest slot: what encoder.h promises.
constexpr double kEmbeddingBits = 40.0;
// Relative difference between our scale, a double, and one computed with more digits.
constexpr double kScaleTolerance = 0x1p-48;

// Rounding every coefficient to an integer gives slots an error of variance 2N / 12: six times its
// deviation, in bits.
double encoding_bits(const Setup& setup) {
  return std::log2(setup.scale) -
         std::log2(6.0 * std::sqrt(2.0 * static_cast<double>(setup.context->n()) / 12.0));
}

struct Report {
  int checks = 0, failures = 0;

  void line(bool passed, const std::string& text) {
    ++checks;
    failures += passed ? 0 : 1;
    fmt::print("  {} {}\n", passed ? "ok    " : "FAILED", text);
  }
};

// -log2 of the largest and of the mean error.
struct Precision {
  double worst_bits, mean_bits;
};

Precision precision(const std::vector<double>& got, const std::vector<double>& expected) {
  double worst = 0.0, total = 0.0;
  for (std::size_t j = 0; j < expected.size(); ++j) {
    const double error = std::abs(got[j] - expected[j]);
    // A value that is not a number must not look precise.
    worst = std::isnan(error) ? INFINITY : std::max(worst, error);
    total += error;
  }
  return {-std::log2(worst), -std::log2(total / static_cast<double>(expected.size()))};
}

void check_case(Report& report, const Setup& setup, const std::string& name,
                const Expected& expected, const Ciphertext& ciphertext) {
  const Precision bits = precision(decrypt_raw(setup.secret, ciphertext), expected.slots);
  const double required = setup.required_bits - expected.growth_bits;
  const double scale_error = std::abs(ciphertext.scale / expected.scale - 1.0);
  const bool in_place = ciphertext.level == expected.level && scale_error <= kScaleTolerance;
  std::string text = fmt::format(
      "{:<28} level {}, scale 2^{:.9f}, worst {:.1f} bits, mean {:.1f} (at least {:.1f})", name,
      ciphertext.level, std::log2(ciphertext.scale), bits.worst_bits, bits.mean_bits, required);
  if (!in_place) {
    text += fmt::format("; expected level {}, scale 2^{:.9f}", expected.level,
                        std::log2(expected.scale));
  }
  report.line(in_place && bits.worst_bits >= required, text);
}

// The comparison itself must be able to fail: slots one place off, and another secret.
void check_controls(Report& report, const Setup& setup, const Ciphertext& encrypted_x) {
  std::vector<double> shifted(setup.x.begin() + 1, setup.x.end());
  shifted.push_back(setup.x.front());
  const double order = precision(decrypt_raw(setup.secret, encrypted_x), shifted).worst_bits;
  report.line(order < 2.0,
              fmt::format("{:<28} worst {:.1f} bits (below 2)", "control: slots one off", order));
  std::vector<std::int8_t> other(setup.secret.coefficients().begin(),
                                 setup.secret.coefficients().end());
  other[1] = static_cast<std::int8_t>(other[1] == 0 ? 1 : 0);
  const SecretKey wrong = SecretKey::from_coefficients(setup.context, other);
  const double key = precision(decrypt_raw(wrong, encrypted_x), setup.x).worst_bits;
  report.line(key < 2.0,
              fmt::format("{:<28} worst {:.1f} bits (below 2)", "control: another secret", key));
}

json offered_embedding(const Setup& setup) {
  std::mt19937_64 random(setup.seed + 1000);
  std::vector<std::int64_t> coefficients(setup.context->n());
  std::vector<double> slots(setup.context->n());
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    coefficients[i] = static_cast<std::int64_t>(random() % 2001) - 1000;
    slots[i] = static_cast<double>(coefficients[i]);
  }
  setup.context->embedding().coefficients_to_slots(slots);
  return {{"coefficients", coefficients}, {"slots", slots}};
}

int offer(int set, const char* file) {
  const Setup setup = make_setup(set);
  const Params& params = setup.context->params();
  const auto secret = setup.secret.coefficients();
  const auto fresh = encrypt_messages(setup);
  json offered = {
      {"log_n", params.log_n()},
      {"q", params.q()},
      {"p", params.p()},
      {"log_scale", static_cast<int>(std::log2(setup.scale))},
      {"required_bits", setup.required_bits},
      {"seed", setup.seed},
      {"secret", std::vector<int>(secret.begin(), secret.end())},
      {"x", setup.x},
      {"y", setup.y},
      {"embedding", offered_embedding(setup)},
      {"plaintext", to_json(encode(*setup.context, setup.x, setup.scale, params.max_level()))}};
  for (const auto& cases :
       {fresh, evaluate(setup, fresh.at("fresh_secret"), fresh.at("fresh_public"))}) {
    for (const auto& [name, ciphertext] : cases) {
      offered["ciphertexts"][name] = to_json(ciphertext);
    }
  }
  std::ofstream(file) << offered;
  fmt::print(
      "offer: set {}, N = 2^{}, log2 Q = {:.1f}, log2 P = {:.1f}, scale 2^{:.0f}, tier {}, "
      "seed {}\n",
      set, params.log_n(), params.log_q(params.max_level()), params.log_p(params.max_level()),
      std::log2(setup.scale), setup.context->ring().kernels().name, setup.seed);
  return 0;
}

// Their coefficients and slots: ours from each other, in both directions.
void check_embedding(Report& report, const Setup& setup, const json& answered) {
  const auto integers = answered.at("coefficients").get<std::vector<std::int64_t>>();
  const std::vector<double> coefficients(integers.begin(), integers.end());
  const auto slots = answered.at("slots").get<std::vector<double>>();
  const auto compare = [&](const char* name, const std::vector<double>& got,
                           const std::vector<double>& expected) {
    double largest = 0.0;
    for (const double x : expected) {
      largest = std::max(largest, std::abs(x));
    }
    const double bits = precision(got, expected).worst_bits + std::log2(largest);
    report.line(bits >= kEmbeddingBits,
                fmt::format("{:<28} worst {:.1f} bits of the largest (at least {:.1f})", name, bits,
                            kEmbeddingBits));
  };
  std::vector<double> values = coefficients;
  setup.context->embedding().coefficients_to_slots(values);
  compare("coefficients to slots", values, slots);
  values = slots;
  setup.context->embedding().slots_to_coefficients(values);
  compare("slots to coefficients", values, coefficients);
}

void check_plaintext(Report& report, const Setup& setup, const json& answered) {
  const Context& context = *setup.context;
  const Poly<Coeff> theirs = plaintext_from_json(context, answered);
  const double bits = precision(decode(context, theirs, setup.scale), setup.y).worst_bits;
  const double required = encoding_bits(setup);
  report.line(bits >= required, fmt::format("{:<28} worst {:.1f} bits (at least {:.1f})",
                                            "encoding decodes", bits, required));
  const auto level = answered.at("level").get<int>();
  const Poly<Coeff> ours = to_coeff(encode(context, setup.y, setup.scale, level).poly);
  const std::vector<double> a = centred_coefficients(context, ours);
  const std::vector<double> b = centred_coefficients(context, theirs);
  double largest = 0.0;
  std::size_t different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(a[i] - b[i]));
    different += a[i] != b[i] ? 1 : 0;
  }
  report.line(largest <= 1.0,
              fmt::format("{:<28} {} of {} coefficients differ, at most by {} (1: rounding)",
                          "encoding is FFConv's", different, a.size(), largest));
}

int check(int set, const char* file) {
  const Setup setup = make_setup(set);
  const auto expected = expectations(setup);
  const json answered = json::parse(std::ifstream(file));
  Report report;
  fmt::print("check by FFConv of what Lattigo made: set {}, seed {}\n", set, setup.seed);
  check_embedding(report, setup, answered.at("embedding"));
  check_plaintext(report, setup, answered.at("plaintext"));

  std::map<std::string, Ciphertext> theirs;
  for (const auto& [name, ciphertext] : answered.at("ciphertexts").items()) {
    theirs[name] = ciphertext_from_json(setup.context, ciphertext);
  }
  for (const auto& [name, expectation] : expected) {
    check_case(report, setup, name, expectation, theirs.at(name));
    // Lattigo's operations on our encryptions.
    if (!name.starts_with("fresh_")) {
      check_case(report, setup, name + " of ours", expectation, theirs.at(name + "_of_peer"));
    }
  }
  // Our operations on Lattigo's encryptions.
  for (const auto& [name, ciphertext] :
       evaluate(setup, theirs.at("fresh_secret"), theirs.at("fresh_public"))) {
    check_case(report, setup, name + " here of theirs", expected.at(name), ciphertext);
  }
  check_controls(report, setup, theirs.at("fresh_secret"));
  fmt::print("{} checks, {} failed\n", report.checks, report.failures);
  return report.failures == 0 ? 0 : 1;
}

int run(int argc, char** argv) {
  const std::string_view command = argc == 4 ? argv[1] : "";
  const int set = argc == 4 ? std::atoi(argv[2]) : -1;
  if (set < 0 || set >= kSetCount || (command != "offer" && command != "check")) {
    fmt::print(stderr, "usage: interop_peer offer|check SET FILE, SET 0 to {}\n", kSetCount - 1);
    return 2;
  }
  return command == "offer" ? offer(set, argv[3]) : check(set, argv[3]);
}

}  // namespace
}  // namespace ffconv::interop

int main(int argc, char** argv) {
  try {
    return ffconv::interop::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "interop_peer: {}\n", error.what());
    return 1;
  }
}
