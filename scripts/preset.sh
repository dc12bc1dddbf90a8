#!/usr/bin/env bash
# Configures and builds a preset of CMakePresets.json and, with `test`, runs its tests.
# Usage: preset.sh build|test PRESET [-DVARIABLE=VALUE...] [ctest options]
# Only what needs attention is printed; the results also go to build/PRESET/tests.xml (JUnit).
set -euo pipefail
cd "$(dirname "$0")/.."
action=$1 preset=$2
shift 2
jobs=${JOBS:-$(nproc)}
definitions=()
while [[ ${1:-} == -D* ]]; do
  definitions+=("$1")
  shift
done

mkdir -p build
log=build/$preset-configure.log
if ! cmake --preset "$preset" "${definitions[@]}" >"$log" 2>&1; then
  cat "$log"
  exit 1
fi

if [ -t 1 ]; then
  cmake --build --preset "$preset" -j "$jobs"
else
  cmake --build --preset "$preset" -j "$jobs" -- --quiet
fi
if [ "$action" = build ]; then
  exit 0
fi

tests=(ctest --preset "$preset" -j "$jobs" --output-junit "$PWD/build/$preset/tests.xml" "$@")
if [ -t 1 ]; then
  "${tests[@]}" --progress
else
  # A log shows the tests that did not pass and the summary.
  "${tests[@]}" | { grep -vE '^ *(Start +[0-9]+: |[0-9]+/[0-9]+ Test +#.* Passed +)' || true; }
fi
