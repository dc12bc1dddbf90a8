// Writes a graph as an ONNX file that the importer, onnxruntime and others read: operator set 13
// and IR version 7, or 19 and 9 where an AveragePool is dilated.
//
// The batch axis is symbolic ("N"); weights are float32. Names and metadata are the graph's; a
// constant whose name another value has too gets a suffix. Constants that no node reads are left
// out. Importing the file gives the same nodes in the same order, with their constants rounded to
// what the file holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "ffconv/model/graph.h"

namespace ffconv::model {

struct ExportOptions {
  // The weights of Conv, Gemm and MatMul are stored as float16, each behind a Cast to float32: half
  // the size, 11 significant bits. Tensors with an element beyond float16's range stay float32.
  bool half_precision = false;
};

// The file's bytes: equal graphs give equal bytes.
// Throws kUnsupported, naming the tensor, for an element beyond float32's range, and for files
// above 2^30 bytes.
std::vector<std::uint8_t> export_onnx(const Graph& graph, const ExportOptions& options = {});

// Writes beside `path` and renames: the file appears whole or not at all. Also throws kIo.
void export_onnx_file(const Graph& graph, const std::filesystem::path& path,
                      const ExportOptions& options = {});

}  // namespace ffconv::model
