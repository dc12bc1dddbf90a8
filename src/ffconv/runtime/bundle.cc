#include "ffconv/runtime/bundle.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <utility>

#include "ffconv/base/error.h"

namespace ffconv::runtime {
namespace {

// No tensor of a network that can be evaluated under encryption comes near.
constexpr std::size_t kMaxElements = std::size_t{1} << 26;

template <typename... Args>
void require(bool condition, const std::string& what, fmt::format_string<Args...> format,
             Args&&... args) {
  if (!condition) {
    fail(ErrorCode::kFormat, "{}: {}", what, fmt::format(format, std::forward<Args>(args)...));
  }
}

// Names go to terminals: a file must not bring control characters there.
void check_name(const std::string& name, const char* kind, const std::string& what) {
  const bool printable = std::none_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  require(printable, what, "a {} with control characters", kind);
}

void check_names(const std::string& model, const std::vector<std::string>& classes,
                 const std::string& what) {
  check_name(model, "model name", what);
  for (const std::string& name : classes) {
    check_name(name, "class name", what);
  }
}

void check_shape(const model::Shape& shape, const std::string& what) {
  require(shape.rank() >= 1, what, "expected an image shape of one or more dimensions, got none");
  std::size_t elements = 1;
  for (const std::size_t dim : shape.dims) {
    require(dim >= 1 && dim <= kMaxElements / elements, what,
            "expected an image of 1 to {} values, got shape {}", kMaxElements, to_string(shape));
    elements *= dim;
  }
}

void check_labels(const plan::SlotLabels& labels, std::size_t slots, std::size_t elements,
                  const char* kind, const std::string& what) {
  const std::size_t period = labels.elements.size();
  require(std::has_single_bit(period) && period <= slots, what,
          "{}: expected a period that divides {} slots, got {}", kind, slots, period);
  for (const std::int32_t label : labels.elements) {
    require(label >= plan::SlotLabels::kEmpty && label < static_cast<std::int64_t>(elements), what,
            "{}: expected labels of {} elements, got {}", kind, elements, label);
  }
}

void check_values(const std::vector<ExchangedValue>& values, const Params& params,
                  std::size_t elements, const char* kind, const std::string& what) {
  require(!values.empty(), what, "{}: expected at least one ciphertext, got none", kind);
  for (const ExchangedValue& value : values) {
    check_labels(value.labels, params.slot_count(), elements, kind, what);
    require(value.level >= 0 && value.level <= params.max_level(), what,
            "{}: expected a level of 0 to {}, got {}", kind, params.max_level(), value.level);
    require(std::isfinite(value.scale) && value.scale > 0.0 && std::isfinite(value.max_abs) &&
                value.max_abs > 0.0 &&
                std::log2(value.scale) + std::log2(value.max_abs) < params.log_q(value.level) - 1,
            what, "{}: scale {} and bound {} do not fit the {:.1f} bits of level {}", kind,
            value.scale, value.max_abs, params.log_q(value.level), value.level);
  }
}

// Every class has a slot: otherwise its score would be read from nowhere.
void check_classes(const std::vector<ExchangedValue>& outputs, std::size_t classes,
                   const std::string& what) {
  std::set<std::int32_t> seen;
  for (const ExchangedValue& output : outputs) {
    seen.insert(output.labels.elements.begin(), output.labels.elements.end());
  }
  seen.erase(plan::SlotLabels::kEmpty);
  require(seen.size() == classes, what, "expected scores of {} classes, got {}", classes,
          seen.size());
}

void check_keys(const plan::KeyRequest& keys, const Params& params, const std::string& what) {
  const auto check_level = [&](std::int32_t level, const std::string& kind) {
    require(params.has_keys(level), what,
            "expected a {} of a level of 0 to {} that carries keys, got level {}", kind,
            params.max_key_level(), level);
  };
  std::int32_t previous_level = -1;
  for (const std::int32_t level : keys.relinearization) {
    check_level(level, "relinearization key");
    require(level > previous_level, what,
            "expected relinearization keys of ascending levels, got {} after {}", level,
            previous_level);
    previous_level = level;
  }
  std::pair<std::int32_t, std::int32_t> previous{0, params.max_level()};
  for (const auto& [step, level] : keys.rotations) {
    require(
        std::pair(step, level) > previous && static_cast<std::size_t>(step) < params.slot_count(),
        what, "expected ascending rotation steps below {}, got {} at level {} after {}",
        params.slot_count(), step, level, previous.first);
    check_level(level, fmt::format("key for rotations by {}", step));
    previous = {step, level};
  }
}

ExchangedValue exchanged(const plan::SlotLabels& labels, const plan::ValueInfo& info) {
  return {labels, info.level, info.scale, info.max_abs};
}

}  // namespace

std::size_t images_at_once(const ClientBundle& bundle) {
  const auto alone = [](const ExchangedValue& value) { return value.labels.elements.size() == 1; };
  const bool apart = std::ranges::all_of(bundle.inputs, alone) &&
                     std::ranges::all_of(bundle.outputs, alone) && bundle.keys.rotations.empty();
  return apart ? std::size_t{1} << bundle.params.log_n : 1;
}

ClientBundle client_bundle(const ServerBundle& bundle) {
  const plan::Program& program = bundle.program;
  ClientBundle client;
  client.model_name = bundle.model_name;
  client.params = program.params;
  client.input_shape = bundle.input_shape;
  for (std::size_t i = 0; i < program.input_labels.size(); ++i) {
    client.inputs.push_back(exchanged(program.input_labels[i], program.values[i]));
  }
  for (std::size_t i = 0; i < program.outputs.size(); ++i) {
    const auto reg = static_cast<std::size_t>(program.outputs[i]);
    client.outputs.push_back(exchanged(program.output_labels[i], program.values[reg]));
  }
  client.keys = plan::key_request(program);
  client.class_names = bundle.class_names;
  client.output_noise_std = program.output_noise_std;
  client.fingerprint = bundle.fingerprint;
  return client;
}

void check(const ServerBundle& bundle, const std::string& what) {
  plan::check_program(bundle.program, what);
  for (const std::string& layer : bundle.program.layers) {
    check_name(layer, "layer name", what);
  }
  check(client_bundle(bundle), what);
}

void check(const ClientBundle& bundle, const std::string& what) {
  const Params params(bundle.params);
  check_names(bundle.model_name, bundle.class_names, what);
  check_shape(bundle.input_shape, what);
  check_values(bundle.inputs, params, bundle.input_shape.size(), "input", what);
  check_values(bundle.outputs, params, bundle.class_names.size(), "output", what);
  check_classes(bundle.outputs, bundle.class_names.size(), what);
  check_keys(bundle.keys, params, what);
  require(std::isfinite(bundle.output_noise_std) && bundle.output_noise_std > 0.0, what,
          "expected a positive noise of the scores, got {}", bundle.output_noise_std);
}

}  // namespace ffconv::runtime
