#!/usr/bin/env bash
# Everything that can be checked on one machine: make test, the warnings and tests of clang, all
# sanitizers, clang-tidy, the tests on every instruction-set tier, a minute of every fuzzer.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

step "make test" build/dev/tests.xml make test
step "fast tests, built by clang" build/clang/tests.xml scripts/preset.sh test clang
step "clang-tidy" - run-clang-tidy -quiet -p build/clang "$PWD/(src|apps|examples)/"
step "fast tests, address and undefined-behaviour sanitizers" build/asan/tests.xml \
  scripts/preset.sh test asan
step "fast tests, thread sanitizer" build/tsan/tests.xml scripts/preset.sh test tsan
simd_steps
step "fuzzers" build/fuzz/tests.xml scripts/preset.sh test fuzz -DFFCONV_FUZZ_SECONDS=60
finish
