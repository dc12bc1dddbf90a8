#include "timed_kernels.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace ffconv::bench {
namespace {

constexpr int kRepetitions = 5;

struct State {
  const Kernels* base = nullptr;
  Kernels table{};
  int wrapped = 0;
  bool timing = false;
  std::map<std::string, KernelTime> times;
};

State& state() {
  static State instance;
  return instance;
}

template <std::size_t kSize>
struct Name {
  char text[kSize];
  constexpr Name(const char (&name)[kSize]) { std::copy_n(name, kSize, text); }
};

template <Name kName, auto kMember, typename Signature>
struct Timed;

template <Name kName, auto kMember, typename Result, typename... Arguments>
struct Timed<kName, kMember, Result (*)(Arguments...)> {
  static Result call(Arguments... arguments) {
    using Clock = std::chrono::steady_clock;
    const auto kernel = state().base->*kMember;
    if (state().timing) {
      const auto run = [&] {
        const auto start = Clock::now();
        kernel(arguments...);
        return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
      };
      const double first = run();
      double best = first;
      for (int k = 1; k < kRepetitions; ++k) {
        best = std::min(best, run());
      }
      KernelTime& time = state().times[kName.text];
      ++time.calls;
      time.us += best;
      time.in_place_us += first;
    }
    return kernel(arguments...);
  }
};

template <Name kName, auto kMember>
void wrap() {
  Kernels& table = state().table;
  using Signature = std::remove_reference_t<decltype(table.*kMember)>;
  table.*kMember = &Timed<kName, kMember, Signature>::call;
  ++state().wrapped;
}

void wrap_arithmetic() {
  wrap<"ntt_forward", &Kernels::ntt_forward>();
  wrap<"ntt_inverse", &Kernels::ntt_inverse>();
  wrap<"add", &Kernels::add>();
  wrap<"sub", &Kernels::sub>();
  wrap<"mul", &Kernels::mul>();
  wrap<"mul_constant", &Kernels::mul_constant>();
  wrap<"mul_constant_sub", &Kernels::mul_constant_sub>();
  wrap<"packed_products", &Kernels::packed_products>();
  wrap<"packed_pair_products", &Kernels::packed_pair_products>();
  wrap<"scalar_products", &Kernels::scalar_products>();
  wrap<"permute", &Kernels::permute>();
  wrap<"sub_add_permute", &Kernels::sub_add_permute>();
  wrap<"tensor", &Kernels::tensor>();
  wrap<"add_product", &Kernels::add_product>();
  wrap<"sub_product", &Kernels::sub_product>();
}

void wrap_conversions() {
  wrap<"import_limb", &Kernels::import_limb>();
  wrap<"export_limb", &Kernels::export_limb>();
  wrap<"import_signed", &Kernels::import_signed>();
  wrap<"import_small", &Kernels::import_small>();
  wrap<"pack48", &Kernels::pack48>();
  wrap<"make_digit", &Kernels::make_digit>();
  wrap<"digit_overflow", &Kernels::digit_overflow>();
  wrap<"extend", &Kernels::extend>();
  wrap<"combine_digits", &Kernels::combine_digits>();
  wrap<"fft_forward", &Kernels::fft_forward>();
  wrap<"fft_inverse", &Kernels::fft_inverse>();
  wrap<"round_to_signed", &Kernels::round_to_signed>();
  wrap<"invert_cumulative", &Kernels::invert_cumulative>();
}

}  // namespace

const Kernels& timed_kernels(const Kernels& base) {
  State& s = state();
  if (s.base == nullptr) {
    s.base = &base;
    s.table = base;
    wrap_arithmetic();
    wrap_conversions();
  }
  return s.table;
}

std::map<std::string, KernelTime> kernel_times(const std::function<void()>& operation) {
  state().times.clear();
  state().timing = true;
  operation();
  state().timing = false;
  return std::move(state().times);
}

int untimed_kernels() {
  // `prepare` and `make_constant` do not work on limbs.
  constexpr auto kMembers = (sizeof(Kernels) - offsetof(Kernels, prepare)) / sizeof(void*) - 2;
  return static_cast<int>(kMembers) - state().wrapped;
}

}  // namespace ffconv::bench
