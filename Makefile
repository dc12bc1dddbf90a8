# The short commands; each is a thin layer over CMake's presets (CMakePresets.json).
JOBS ?= $(shell nproc)
MAKEFLAGS += --no-print-directory

CONFIGURE = cmake --preset $(1) $(2) > build/$(1)-configure.log 2>&1 || { cat build/$(1)-configure.log; exit 1; }
BUILD = cmake --build build/$(1) -j$(JOBS)
TEST = ctest --test-dir build/$(1) -j$(JOBS) --output-on-failure --no-tests=error --output-junit $(CURDIR)/build/$(1)/$(or $(3),tests).xml $(2)

.PHONY: help setup setup-dev build demo test check-all bench format clean

help:
	@echo "make demo       install what is missing, build, classify encrypted digits"
	@echo "make test       install what is missing, build with assertions, run all tests and examples"
	@echo "make build      optimized build: build/release/apps/ffconv/ffconv"
	@echo "make check-all  make test, and clang, sanitizers, clang-tidy, fuzzers (an hour on two cores)"
	@echo "make bench      benchmarks of the optimized build"
	@echo "make format     lay out the C++ files"
	@echo "make clean      remove build/"

setup:
	@scripts/setup.sh

setup-dev:
	@scripts/setup.sh --dev

build: setup
	@mkdir -p build
	@$(call CONFIGURE,release)
	@$(call BUILD,release)

demo: build
	@build/release/apps/ffconv/ffconv demo

test: setup-dev
	@mkdir -p build
	@$(call CONFIGURE,dev)
	@$(call BUILD,dev)
	@$(call TEST,dev)

check-all: test
	scripts/check_all.sh

bench: setup-dev
	@mkdir -p build
	@$(call CONFIGURE,bench)
	@$(call BUILD,bench)
	@scripts/run_benchmarks.sh

format:
	@scripts/check_format.sh --fix

clean:
	rm -rf build
