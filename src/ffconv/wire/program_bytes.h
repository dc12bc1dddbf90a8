// Programs as a part of a server bundle.
#pragma once

#include "ffconv/base/bytes.h"
#include "ffconv/plan/program.h"

namespace ffconv::wire {

void write_program(ByteWriter& writer, const plan::Program& program);
// Well-formed only: plan::check_program() decides whether it means anything.
plan::Program read_program(ByteReader& reader);

void write_labels(ByteWriter& writer, const plan::SlotLabels& labels);
plan::SlotLabels read_labels(ByteReader& reader);

}  // namespace ffconv::wire
