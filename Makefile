# The short commands. What they do is in scripts/ and CMakePresets.json.

.PHONY: help setup setup-dev build demo test check-all bench bench-primitives bench-peers format clean

help:
	@echo "make demo       install what is missing, build, classify encrypted digits and photographs"
	@echo "make test       install what is missing, build with assertions, run all tests and examples"
	@echo "make build      optimized program: build/release/apps/ffconv/ffconv"
	@echo "make check-all  make test, then clang, all sanitizers, clang-tidy, a minute of every fuzzer"
	@echo "make bench      benchmarks, results in build/bench/results/"
	@echo "make bench-primitives  each operation beside Lattigo and SEAL: bench/results/primitives.json"
	@echo "make bench-peers  encrypted images beside TenSEAL and Orion: bench/results/peers.json"
	@echo "make format     lay out the C++ files"
	@echo "make clean      remove build/"

setup:
	@scripts/setup.sh

setup-dev:
	@scripts/setup.sh --dev

build: setup
	@scripts/preset.sh build release

demo: build
	@build/release/apps/ffconv/ffconv demo

test: setup-dev
	@scripts/preset.sh test dev

check-all: setup-dev
	@scripts/check_all.sh

bench: setup-dev
	@scripts/preset.sh build bench
	@scripts/run_benchmarks.sh

bench-primitives: setup-dev
	@scripts/preset.sh build bench
	@python3 bench/primitives/run.py

bench-peers: setup-dev
	@scripts/preset.sh build bench
	@python3 bench/peers/run.py

format:
	@scripts/check_format.sh --fix

clean:
	rm -rf build
