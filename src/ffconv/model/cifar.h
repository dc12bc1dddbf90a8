// CIFAR-10 in its binary version: 10 classes of 32 x 32 colour images.
//
// A file is a row of records: 1 byte label, then 3072 bytes of pixels, the red, green and blue
// plane, row-major. Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images",
// 2009, and www.cs.toronto.edu/~kriz/cifar.html.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "ffconv/model/dataset.h"

namespace ffconv::model {

// data_batch_1.bin to data_batch_5.bin (50,000 images) or test_batch.bin (10,000) from `directory`
// or the folder cifar-10-batches-bin in it, as the official archive unpacks; each may be packed by
// gzip or xz. The files' contents must have the published SHA-256 sums.
// Throws kIo for a missing file (naming where to get it) and kFormat for one that is not the
// published.
Dataset load_cifar10(const std::filesystem::path& directory, Split split);

// Appends the records of one file to `data`, which must be empty or CIFAR-10 itself.
// Throws kFormat where it holds no whole number of records or a label above 9. `what` names it.
void append_cifar10(std::span<const std::uint8_t> file, const std::string& what, Dataset& data);

// What to download for load_cifar10(), for messages.
std::string where_to_get_cifar10();

}  // namespace ffconv::model
