// From a model file and the options of the command line to a compiled network.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "ffconv/model/graph.h"
#include "ffconv/model/network.h"
#include "ffconv/plan/compile.h"
#include "ffconv/runtime/bundle.h"

namespace ffconv::cli {

struct CompileFlags {
  std::string packing = "auto";
  std::string calibration;  // empty: the model's metadata
  double margin = plan::CompileOptions{}.margin;
  double precision_bits = plan::CompileOptions{}.precision_bits;
  int log_n = 0;             // 0: the planner's choice
  std::string cost;          // file; empty: the default table
  double bandwidth = 100;    // Mbit/s
  std::size_t max_keys = 0;  // 0: as many as are fastest
};

// Adds the options; `flags` must outlive the parsing.
void add_compile_flags(CLI::App& command, CompileFlags& flags);
// Of --bandwidth: above 0, or inf.
CLI::Validator bandwidth_check();

// Whether the command line had any of them but --cost.
bool any_compile_flag(const CLI::App& command);

// The table that --cost names, or the default.
CostTable cost_table(const CompileFlags& flags);

struct Model {
  model::Graph graph;
  model::Network network;
};
Model load_model(const std::string& path);

struct CompiledModel {
  runtime::ServerBundle bundle;
  plan::CompileReport report;
};

// Throws what reading the images, planning and making the bundle throw; kInvalidArgument where
// neither the flags nor the model's metadata say how large its values get. `path` names the model
// in errors.
CompiledModel compile_model(const Model& model, const std::string& path, const CompileFlags& flags,
                            bool quiet);

}  // namespace ffconv::cli
