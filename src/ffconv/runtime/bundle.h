// Bundles: what a compiled network becomes for those who use it.
//
// The server bundle is the whole network. The client bundle is the part of it that a data owner
// needs and may see: parameters, layouts of inputs and outputs, keys to make; no weights, no layer
// shapes. Files: wire/bundle_file.h.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "ffconv/ckks/params.h"
#include "ffconv/model/shape.h"
#include "ffconv/plan/program.h"

namespace ffconv::runtime {

// BLAKE2b-256 of a server bundle's content: keys and ciphertexts carry it, so that those of
// different bundles never mix.
using Fingerprint = std::array<std::uint8_t, 32>;

// Made by wire::make_bundle() or read from a file; both check it.
struct ServerBundle {
  std::string model_name;
  model::Shape input_shape;
  std::vector<std::string> class_names;  // one per class of program.output_labels
  plan::Program program;
  Fingerprint fingerprint{};
};

// A ciphertext that client and server exchange: where the tensor's elements stand, and what is
// known of the ciphertext beforehand.
struct ExchangedValue {
  plan::SlotLabels labels;
  std::int32_t level = 0;
  double scale = 0.0;
  double max_abs = 0.0;  // bound on |slot|
};

struct ClientBundle {
  std::string model_name;
  ParamsSpec params;
  model::Shape input_shape;
  std::vector<ExchangedValue> inputs;   // labels: elements of the image, flattened c, h, w
  std::vector<ExchangedValue> outputs;  // labels: class indices
  plan::KeyRequest keys;
  std::vector<std::string> class_names;
  double output_noise_std = 0.0;  // predicted standard deviation of a score's error
  Fingerprint fingerprint{};      // the server bundle's
};

// How many images a run takes: N where every value has ciphertexts of its own (packing batch), else
// 1.
std::size_t images_at_once(const ClientBundle& bundle);

// The client's part of `bundle`.
ClientBundle client_bundle(const ServerBundle& bundle);

// Throw kFormat, naming `what`, unless everything in the bundle fits together; what
// plan::check_program and Params throw for the program and the parameters. The fingerprint is not
// looked at.
void check(const ServerBundle& bundle, const std::string& what);
void check(const ClientBundle& bundle, const std::string& what);

}  // namespace ffconv::runtime
