#!/usr/bin/env bash
# Runs every program of bench/ in the bench build: a warm-up, five repetitions; minimum, median, spread.
# Results go to build/bench/results/NAME.json: processor, compiler and commit are recorded beside the
# figures. (Debian's benchmark library warns that it is a debug build; it means its own code only.)
# Usage: run_benchmarks.sh [Google Benchmark options]
set -euo pipefail
cd "$(dirname "$0")/.."

results=build/bench/results
mkdir -p "$results"
commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[^=]*=//p' build/bench/CMakeCache.txt)

found=0
for program in build/bench/bench/*_bench; do
  [ -x "$program" ] || continue
  found=1
  "$program" --benchmark_repetitions=5 --benchmark_report_aggregates_only=true \
    --benchmark_min_warmup_time=0.1 \
    --benchmark_context=commit="$commit" --benchmark_context=cpu="$cpu" \
    --benchmark_context=compiler="$("$compiler" --version | head -n 1)" \
    --benchmark_out="$results/$(basename "$program").json" --benchmark_out_format=json "$@"
done
if [ "$found" -eq 0 ]; then
  echo "no program build/bench/bench/*_bench"
  exit 1
fi
