// Falcon: convolutions in the frequency domain. Source: Lou, Lu, Hong and Jiang, "Falcon: Fast
// Spectral Inference on Encrypted Data", NeurIPS 2020.
//
// A channel, padded to R x C, has the unitary transform
//
//   X(u, v) = (R C)^-1/2 sum x(r, c) exp(-2 pi i (u r / R + v c / C)),
//
// and a convolution with taps w at offsets (a, b), before its stride, is the product with
// H(u, v) = sum w(a, b) exp(+2 pi i (u a / R + v b / C)). As x is real, X(-u, -v) is the conjugate
// of X(u, v): a spectrum is R C real numbers, real and imaginary part of one frequency of each pair
// side by side, then the frequencies that are their own negatives, whose values are real.

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>

#include "ffconv/plan/packings.h"

namespace ffconv::plan {
namespace {

struct Frequency {
  std::size_t u, v;
  bool paired;  // with its negative
};

// A sparse matrix, entry by entry.
class Rows {
 public:
  void add(std::size_t column, double weight) {
    matrix_.columns.push_back(static_cast<std::uint32_t>(column));
    matrix_.weights.push_back(weight);
  }
  void end() { matrix_.first.push_back(matrix_.columns.size()); }
  model::Sparse take() { return std::move(matrix_); }

 private:
  model::Sparse matrix_{.first = {0}, .columns = {}, .weights = {}};
};

// The transform of the padded channels of one convolution.
class Spectrum {
 public:
  explicit Spectrum(const model::Linear& linear)
      : linear_(linear),
        conv_(*linear.convolution()),
        rows_(linear.in.height() + conv_.geometry.pads[0] + conv_.geometry.pads[2]),
        columns_(linear.in.width() + conv_.geometry.pads[1] + conv_.geometry.pads[3]) {
    std::vector<Frequency> single;
    for (std::size_t u = 0; u < rows_; ++u) {
      for (std::size_t v = 0; v < columns_; ++v) {
        const std::size_t number = u * columns_ + v;
        const std::size_t negative = (rows_ - u) % rows_ * columns_ + (columns_ - v) % columns_;
        if (number < negative) {
          frequencies_.push_back({u, v, true});
        } else if (number == negative) {
          single.push_back({u, v, false});
        }
      }
    }
    frequencies_.insert(frequencies_.end(), single.begin(), single.end());
  }

  std::size_t size() const { return rows_ * columns_; }
  model::Shape shape(std::size_t channels) const { return {{channels, rows_, columns_}}; }

  model::Sparse forward() const {
    Rows rows;
    const model::Shape& in = linear_.in;
    const auto& pads = conv_.geometry.pads;
    for (std::size_t c = 0; c < in.channels(); ++c) {
      for (const Frequency& f : frequencies_) {
        for (const double phase : phases(f)) {
          for (std::size_t y = 0; y < in.height(); ++y) {
            for (std::size_t x = 0; x < in.width(); ++x) {
              rows.add((c * in.height() + y) * in.width() + x,
                       std::cos(angle(f, y + pads[0], x + pads[1]) + phase) / root_size());
            }
          }
          rows.end();
        }
      }
    }
    return rows.take();
  }

  // For each frequency the matrix of all channels.
  model::Sparse products() const {
    const std::size_t groups = conv_.geometry.groups;
    const std::size_t inputs = linear_.in.channels() / groups;
    const std::size_t outputs = linear_.out.channels() / groups;
    Rows rows;
    std::vector<std::complex<double>> h(inputs);
    for (std::size_t o = 0; o < linear_.out.channels(); ++o) {
      const std::size_t first = o / outputs * inputs;
      std::size_t place = 0;
      for (const Frequency& f : frequencies_) {
        for (std::size_t i = 0; i < inputs; ++i) {
          h[i] = factor(f, o * inputs + i);
        }
        for (const bool imaginary : f.paired ? std::vector{false, true} : std::vector{false}) {
          for (std::size_t i = 0; i < inputs; ++i) {
            const std::size_t column = (first + i) * size() + place;
            rows.add(column, imaginary ? h[i].imag() : h[i].real());
            if (f.paired) {
              rows.add(column + 1, imaginary ? h[i].real() : -h[i].imag());
            }
          }
          rows.end();
        }
        place += f.paired ? 2 : 1;
      }
    }
    return rows.take();
  }

  model::Sparse backward() const {
    Rows rows;
    const model::Shape& out = linear_.out;
    const auto& strides = conv_.geometry.strides;
    for (std::size_t o = 0; o < out.channels(); ++o) {
      for (std::size_t y = 0; y < out.height(); ++y) {
        for (std::size_t x = 0; x < out.width(); ++x) {
          std::size_t column = o * size();
          for (const Frequency& f : frequencies_) {
            for (const double phase : phases(f)) {
              rows.add(column++, (f.paired ? 2 : 1) *
                                     std::cos(angle(f, y * strides[0], x * strides[1]) + phase) /
                                     root_size());
            }
          }
          rows.end();
        }
      }
    }
    return rows.take();
  }

 private:
  double root_size() const { return std::sqrt(static_cast<double>(size())); }
  // cos(angle + phase) is the real part of exp(-i angle), then its imaginary part.
  static std::span<const double> phases(const Frequency& f) {
    static constexpr std::array kPhases = {0.0, std::numbers::pi / 2};
    return std::span(kPhases).first(f.paired ? 2 : 1);
  }
  double angle(const Frequency& f, std::size_t row, std::size_t column) const {
    const auto turn = [](std::size_t product, std::size_t period) {
      return static_cast<double>(product % period) / static_cast<double>(period);
    };
    return 2 * std::numbers::pi * (turn(f.u * row, rows_) + turn(f.v * column, columns_));
  }
  // H of the taps of one pair of channels.
  std::complex<double> factor(const Frequency& f, std::size_t pair) const {
    const auto& kernel = conv_.geometry.kernel;
    const auto& dilations = conv_.geometry.dilations;
    std::complex<double> sum = 0;
    for (std::size_t a = 0; a < kernel[0]; ++a) {
      for (std::size_t b = 0; b < kernel[1]; ++b) {
        sum += conv_.weights[(pair * kernel[0] + a) * kernel[1] + b] *
               std::polar(1.0, angle(f, a * dilations[0], b * dilations[1]));
      }
    }
    return sum;
  }

  const model::Linear& linear_;
  const model::Convolution& conv_;
  std::size_t rows_, columns_;
  std::vector<Frequency> frequencies_;
};

model::Linear sparse_layer(std::string name, model::Shape in, model::Shape out, model::Sparse map) {
  model::Linear layer{.name = std::move(name),
                      .in = std::move(in),
                      .out = std::move(out),
                      .bias = {},
                      .map = std::move(map),
                      .origin = {}};
  layer.bias.assign(layer.out.size(), 0.0);
  return layer;
}

bool is_spectral(const model::Linear& linear) {
  return std::holds_alternative<model::Sparse>(linear.map);
}

}  // namespace

Expanded with_spectra(const model::Network& network, const model::Ranges& ranges) {
  Expanded expanded{network, {ranges.input, {}}};
  auto& layers = expanded.network.layers;
  auto& expected = expanded.ranges.layers;
  layers.clear();
  model::Range before = ranges.input;
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    const auto* linear = std::get_if<model::Linear>(&network.layers[k]);
    const model::Range range = ranges.layers.at(k);
    if (linear != nullptr && linear->convolution() != nullptr) {
      const Spectrum spectrum(*linear);
      const double root_size = std::sqrt(static_cast<double>(spectrum.size()));
      const auto positions = static_cast<double>(linear->in.height() * linear->in.width());
      const model::Shape in = spectrum.shape(linear->in.channels());
      const model::Shape out = spectrum.shape(linear->out.channels());
      // A plain channel has all of its values in one frequency; squares add up alike in both.
      layers.push_back(
          sparse_layer(linear->name + " spectrum", linear->in, in, spectrum.forward()));
      expected.push_back(
          {before.max_abs * positions / root_size, before.rms * std::sqrt(positions) / root_size});
      double bias = 0;
      for (const double value : linear->bias) {
        bias = std::max(bias, std::abs(value));
      }
      layers.push_back(sparse_layer(linear->name + " products", in, out, spectrum.products()));
      expected.push_back({(range.max_abs + bias) * root_size, range.rms + bias});
      model::Linear last = sparse_layer(linear->name, out, linear->out, spectrum.backward());
      last.bias = linear->bias;
      layers.push_back(std::move(last));
    } else {
      layers.push_back(network.layers[k]);
    }
    expected.push_back(range);
    before = linear != nullptr ? range : model::squared(before);
  }
  return expanded;
}

std::vector<Layout> falcon_layouts(const Lowering& lowering) {
  const std::vector<const model::Linear*> linears = linear_layers(lowering.network);
  std::size_t positions = 1;
  for (const model::Linear* linear : linears) {
    if (is_spectral(*linear)) {
      positions = std::max({positions, linear->in.height() * linear->in.width(),
                            linear->out.height() * linear->out.width()});
    }
  }
  const std::size_t block = power_of_two_at_least(positions);
  const auto layout = [&](const model::Shape& shape, const model::Linear& linear) {
    const Grid grid = is_spectral(linear) ? Grid{block, shape.width(), 1} : flat_grid(shape);
    return grid_layout(shape, grid, lowering.ring.slot_count());
  };
  std::vector<Layout> layouts{layout(linears.front()->in, *linears.front())};
  for (const model::Linear* linear : linears) {
    const bool in_place = std::holds_alternative<model::Diagonal>(linear->map);
    layouts.push_back(in_place ? layouts.back() : layout(linear->out, *linear));
  }
  return layouts;
}

}  // namespace ffconv::plan
