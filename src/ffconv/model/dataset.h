// Labelled images: MNIST and CIFAR-10 (cifar.h) as published, and the few images in samples/.
//
// Pixels are bytes, channel after channel, row-major. Scaling them is part of the network.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "ffconv/model/shape.h"

namespace ffconv::model {

struct Dataset {
  Shape shape;  // {C, H, W}
  int classes = 0;
  std::vector<std::string> class_names;  // [classes]
  std::vector<std::uint8_t> pixels;      // [size()][shape.size()]
  std::vector<std::uint8_t> labels;      // [size()], each below classes

  std::size_t size() const { return labels.size(); }
  // Pixels of 0 to 255. index < size().
  std::vector<double> image(std::size_t index) const;
};

enum class Split { kTrain, kTest };

// MNIST from its IDX files in `directory`, gzipped (.gz) or unpacked. The files' contents must have
// the published SHA-256 sums.
// Throws kIo for a missing file (naming where to get it) and kFormat for one that is not the
// published.
Dataset load_mnist(const std::filesystem::path& directory, Split split);

// What to download for load_mnist(), for messages.
std::string where_to_get_mnist();

// One pair of IDX files of 8-bit grey images and labels below `classes`, in memory, unpacked.
// Throws kFormat where they are malformed, truncated or do not belong together. `what` names them.
Dataset parse_idx(std::span<const std::uint8_t> images, std::span<const std::uint8_t> labels,
                  int classes, const std::string& what);

// A directory with labels.json: {"classes": [names], "images": [{"file": name, "label": class},
// ...]}; every image file lies in the directory and has the first one's size. Throws kIo or
// kFormat.
Dataset load_samples(const std::filesystem::path& directory);

// Whether `name` is a published data set: "mnist" or "cifar10".
bool is_published(const std::string& name);

// The directory of the published data set `name`: in $FFCONV_DATA, data/, or ../shared/data.
// Throws kIo where there is none, with the places searched, the official addresses and the sums of
// the files to put there; kInvalidArgument for an unknown name.
std::filesystem::path find_data(const std::string& name);

// The published data set `name` from that directory. Throws what finding and loading it throw.
Dataset load_published(const std::string& name, Split split);

}  // namespace ffconv::model
