// Lattigo's side of the comparison with FFConv's engine (run.py): answers a line on standard input by a
// line of JSON on standard output.
//
//	describe LOG_N      parameters
//	run OP LOG_N COUNT  microseconds of COUNT repetitions after a warm-up
//
// One thread: GOMAXPROCS=1 in the environment.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"time"
)

const warmUpMicroseconds = 1000

func microseconds(start time.Time) float64 {
	return float64(time.Since(start).Nanoseconds()) / 1000
}

var fixtures = map[int]*fixture{}

func fixtureOf(logN int) (f *fixture, err error) {
	if fixtures[logN] == nil {
		if f, err = newFixture(logN); err != nil {
			return nil, err
		}
		fixtures[logN] = f
	}
	return fixtures[logN], nil
}

func describe(f *fixture) map[string]any {
	return map[string]any{
		"log_n": f.params.LogN(), "modulus_bits": f.params.LogQ(), "special_bits": f.params.LogP(),
		"primes": f.params.QCount(), "special_primes": f.params.PCount(), "log_step_ratio": f.ratio,
		"prime_bits": math.Log2(float64(f.params.Q()[1])), "threads": runtime.GOMAXPROCS(0),
	}
}

func run(f *fixture, name string, count int) (float64, error) {
	op, found := f.operations[name]
	if !found && name == "linear_transform_128" {
		if err := f.addLinearTransform(); err != nil {
			return 0, err
		}
		op, found = f.operations[name]
	}
	if !found {
		return 0, fmt.Errorf("operation: expected one of the benchmark's, got %q", name)
	}
	for start := time.Now(); ; {
		if err := op.run(); err != nil {
			return 0, err
		}
		if microseconds(start) >= warmUpMicroseconds {
			break
		}
	}
	start := time.Now()
	for range count {
		if err := op.run(); err != nil {
			return 0, err
		}
	}
	return microseconds(start) / op.parts, nil
}

func answer(line string) (any, error) {
	var name string
	var logN, count int
	if n, _ := fmt.Sscanf(line, "run %s %d %d", &name, &logN, &count); n == 3 {
		f, err := fixtureOf(logN)
		if err != nil {
			return nil, err
		}
		return run(f, name, count)
	}
	if n, _ := fmt.Sscanf(line, "describe %d", &logN); n == 1 {
		f, err := fixtureOf(logN)
		if err != nil {
			return nil, err
		}
		return describe(f), nil
	}
	return nil, fmt.Errorf("command: expected one of those listed, got %q", line)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		result, err := answer(lines.Text())
		if err != nil {
			fmt.Fprintln(os.Stderr, "primitives_lattigo:", err)
			os.Exit(1)
		}
		if err = json.NewEncoder(os.Stdout).Encode(result); err != nil {
			os.Exit(1)
		}
	}
}
