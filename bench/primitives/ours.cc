// Our side of the comparison with other libraries (run.py): answers a line on standard input by a
// line on standard output, which is JSON.
//
//   tiers                  the tiers of this machine, best first
//   calibrate              {"us", "additions"}: dependent additions in a register, one a cycle
//   describe LOG_N         parameters
//   run OP LOG_N COUNT     microseconds of COUNT repetitions after a warm-up
//   kernels LOG_N          microseconds of a rotation's kernels by themselves: operands in cache,
//                          and as the rotation finds them
//
// Usage: primitives_ours [TIER [THREADS]]
#include <chrono>
#include <cmath>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "fixture.h"
#include "timed_kernels.h"

namespace ffconv::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

double us_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// The barrier keeps the addend unknown and every sum: nothing can be folded or eliminated.
Json calibrate() {
  constexpr int kAdditions = 400'000;
  std::uint64_t sum = 1, addend = 3;
  asm volatile("" : "+r"(addend));
  const auto start = Clock::now();
  for (int k = 0; k < kAdditions; k += 8) {
    for (int j = 0; j < 8; ++j) {
      sum += addend;
      asm volatile("" : "+r"(sum), "+r"(addend));
    }
  }
  return {{"us", us_since(start)}, {"additions", kAdditions}};
}

class Server {
 public:
  explicit Server(const Kernels& kernels) : kernels_(kernels) {}

  Json answer(const std::string& line) {
    std::istringstream words(line);
    std::string command, operation;
    int log_n = 0, count = 0;
    words >> command;
    if (command == "tiers") {
      Json tiers = Json::array();
      for (const Kernels* kernels : available_kernels()) {
        tiers.push_back(kernels->name);
      }
      return tiers;
    }
    if (command == "calibrate") {
      return calibrate();
    }
    if (command == "describe" && words >> log_n) {
      return describe(log_n);
    }
    if (command == "run" && words >> operation >> log_n >> count && count >= 1) {
      return run(fixture(log_n).operation(operation), count);
    }
    if (command == "kernels" && words >> log_n) {
      return rotation_kernels(log_n);
    }
    fail(ErrorCode::kInvalidArgument, "command: expected one of those listed, got '{}'", line);
  }

 private:
  Fixture& fixture(int log_n) {
    auto& found = fixtures_[log_n];
    if (!found) {
      found = std::make_unique<Fixture>(log_n, kernels_);
    }
    return *found;
  }

  Json describe(int log_n) {
    const Fixture& f = fixture(log_n);
    const Params& p = f.params();
    const int top = p.max_level();
    return {{"tier", kernels_.name},
            {"log_n", log_n},
            {"modulus_bits", p.log_q(top)},
            {"special_bits", p.log_p(top)},
            {"words", p.limb_count(top)},
            {"special_primes", p.level(top).special.size()},
            {"digit_primes", p.level(top).digit_primes},
            {"digits", p.digit_count(top)},
            {"prime_bits", std::log2(static_cast<double>(f.transform_prime()))},
            {"split", f.split()},
            {"threads", thread_count()}};
  }

  static double run(const Operation& operation, int count) {
    constexpr double kWarmUpUs = 1000;
    const auto warm_up = Clock::now();
    do {
      operation.run(0);
    } while (us_since(warm_up) < kWarmUpUs);
    const auto start = Clock::now();
    for (int k = 0; k < count; ++k) {
      operation.run(static_cast<std::size_t>(k));
    }
    return us_since(start) / operation.parts;
  }

  Json rotation_kernels(int log_n) {
    if (!timed_ || timed_->params().log_n() != log_n) {
      const Fixture& f = fixture(log_n);
      timed_ = std::make_unique<Fixture>(f.params(), f.scale_bits(), timed_kernels(kernels_));
    }
    const Operation& rotate = timed_->operation("rotate");
    rotate.run(0);
    Json kernels;
    double us = 0, in_place_us = 0;
    for (const auto& [name, time] : kernel_times([&] { rotate.run(0); })) {
      kernels[name] = {{"calls", time.calls}, {"us", time.us}, {"in_place_us", time.in_place_us}};
      us += time.us;
      in_place_us += time.in_place_us;
    }
    return {{"us", us},
            {"in_place_us", in_place_us},
            {"untimed_kernels", untimed_kernels()},
            {"kernels", kernels}};
  }

  const Kernels& kernels_;
  std::map<int, std::unique_ptr<Fixture>> fixtures_;
  std::unique_ptr<Fixture> timed_;
};

int serve(int argc, char** argv) {
  set_thread_count(argc > 2 ? std::stoi(argv[2]) : 1);
  Server server(argc > 1 ? kernels_by_name(argv[1]) : active_kernels());
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << server.answer(line) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace ffconv::bench

int main(int argc, char** argv) {
  try {
    return ffconv::bench::serve(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "primitives_ours: " << error.what() << '\n';
    return 1;
  }
}
