#!/usr/bin/env python3
"""Measures the engine's operations beside Lattigo's and SEAL's, in turns, on one thread (docs/benchmarks.md).

In every round each operation runs once on each side; a sample counts where a loop of additions in a register
took no more than 10 % over its minimum just before and after, and the process did not wait for a processor.
Prints a table and writes JSON.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import limits
import sides

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = [
    *((op, log_n) for op in ("ntt_forward", "ntt_inverse", "rotate") for log_n in (13, 14, 15)),
    *((op, 14) for op in ("rotate_hoisted", "multiply_relinearize", "multiply_plain_add", "rescale", "encode",
                          "encrypt_public", "decrypt_decode", "keygen_rotation", "linear_transform_128")),
]
NOT_IN = {("SEAL", "rotate_hoisted")}
NOTES = {
    "Lattigo": "conjugate-invariant ring, N real slots; one prime a level",
    "SEAL": "complex ring, N/2 slots at the same N; nearest parameters, one special prime; called from Python",
}
MOST_ROUNDS = 3  # times the repetitions asked for, until enough samples counted


def log(text):
    print(text, file=sys.stderr, flush=True)


class Progress:
    """A line with the time left: redrawn on a terminal, now and then elsewhere."""

    def __init__(self, total):
        self.total, self.start, self.shown = total, time.monotonic(), 0.0

    def show(self, done, text):
        now = time.monotonic()
        interval = 0.2 if sys.stderr.isatty() else 15.0
        if now - self.shown < interval and done < self.total:
            return
        self.shown = now
        left = f"{(now - self.start) / done * (self.total - done):4.0f} s left" if done else "   ? s left"
        start, end = ("\r\033[K", "" if done < self.total else "\n") if sys.stderr.isatty() else ("", "\n")
        print(f"{start}{100 * done / self.total:3.0f} %  {left}  {text}", end=end, file=sys.stderr, flush=True)


def supports(side, op):
    return (side.name, op) not in NOT_IN


def measure(all_sides, gate, repetitions, operations):
    """{(side, op, log_n): samples}."""
    keys = [(side, op, log_n) for op, log_n in operations for side in all_sides if supports(side, op)]
    samples = {key: [] for key in keys}
    progress = Progress(repetitions * len(keys))

    def counted(key):
        return sum(map(gate.passes, samples[key]))

    for number in range(MOST_ROUNDS * repetitions):
        waiting = {(op, log_n) for side, op, log_n in keys if counted((side, op, log_n)) < repetitions}
        if not waiting:
            break
        # Another side begins in each round.
        turn = number % len(all_sides)
        for op, log_n in (entry for entry in operations if entry in waiting):
            for side in (*all_sides[turn:], *all_sides[:turn]):
                if supports(side, op):
                    samples[side, op, log_n].append(gate.sample(side, op, log_n, 1))
            progress.show(sum(min(counted(key), repetitions) for key in keys), f"round {number + 1}: {op} 2^{log_n}")
    return samples


def summary(samples, gate):
    """Minimum, median, number of the samples that count; all of them where none does."""
    accepted = [sample.us for sample in samples if gate.passes(sample)]
    used = accepted or [sample.us for sample in samples]
    return {"us": min(used), "median_us": statistics.median(used), "samples": len(accepted), "taken": len(samples)}


def bits(side, op, log_n, descriptions):
    """Of the modulus and the special primes."""
    shape = descriptions[side, log_n]
    return (shape["prime_bits"], 0) if op.startswith("ntt_") else (shape["modulus_bits"], shape["special_bits"])


def make_rows(summaries, ours, peers, descriptions, operations):
    rows = []
    for op, log_n in operations:
        for tier, side in ours.items():
            for peer in [peer for peer in peers if supports(peer, op)]:
                own, other = summaries[side, op, log_n], summaries[peer, op, log_n]
                modulus, special = bits(side, op, log_n, descriptions)
                peer_modulus, peer_special = bits(peer, op, log_n, descriptions)
                rows.append({
                    "op": op, "log_n": log_n, "modulus_bits": round(modulus, 2), "special_bits": round(special, 2),
                    "tier": tier, "ours_us": own["us"], "ours_median_us": own["median_us"],
                    "ours_samples": own["samples"], "peer": peer.name, "peer_version": peer.version,
                    "peer_modulus_bits": round(peer_modulus, 2), "peer_special_bits": round(peer_special, 2),
                    "peer_us": other["us"], "peer_median_us": other["median_us"], "peer_samples": other["samples"],
                    "peer_note": NOTES[peer.name], "ratio": other["us"] / own["us"],
                })
    return rows


def cpu_field(name):
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "unknown"


def output_of(*command):
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine(build, gate, load_before):
    compiler = "unknown"
    for line in (build / "CMakeCache.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("CMAKE_CXX_COMPILER:"):
            compiler = output_of(line.partition("=")[2], "--version").split("\n")[0]
    return {
        "cpu": cpu_field("model name"), "vendor": cpu_field("vendor_id"), "family": cpu_field("cpu family"),
        "model": cpu_field("model\t"), "cpus": os.cpu_count(), "measured_ghz": round(gate.ghz(), 3),
        "compiler": compiler, "go": output_of("go", "version"), "python": platform.python_version(),
        "kernel": platform.release(), "commit": output_of("git", "describe", "--always", "--dirty"),
        "load_before": load_before, "load_after": os.getloadavg(),
    }


def start_ours(program, tiers):
    """Our side in each of these tiers that the machine has; the first is the best."""
    probe = sides.Side("FFConv", [program])
    available = probe.ask("tiers")
    probe.close()
    wanted = [tier for tier in available if tier in tiers]
    if not wanted:
        sys.exit(f"tiers: expected some of {', '.join(available)}, got {', '.join(tiers)}")
    return {tier: sides.Side("FFConv", [program, tier]) for tier in wanted}


def start_peers(names, folder):
    """Those that can run here, and the reasons of the others."""
    peers, missing = [], {}
    for name, start in (("Lattigo", sides.lattigo), ("SEAL", sides.seal)):
        if name in names:
            log(f"preparing {name}")
            try:
                peers.append(start(folder))
            except sides.Missing as error:
                missing[name] = str(error)
                log(f"{name} cannot run here: {error}")
    return peers, missing


def measure_limits(program, ours, minima, gate, vendor):
    best = next(iter(ours))
    log("limits: kernels, threads, scaling")
    result = {"transforms": limits.transforms(minima, vendor, gate.ghz()),
              "rotation_over_kernels": [limits.rotation_over_kernels(gate, side, tier) for tier, side in ours.items()],
              "scaling": [limits.scaling(gate, side, tier) for tier, side in ours.items()]}
    if os.cpu_count() >= 2:
        second, threaded = sides.Side("FFConv", [program, best]), sides.Side("FFConv", [program, best, 2])
        result["two_threads"] = limits.two_threads((ours[best], second), threaded, best)
        second.close()
        threaded.close()
    return result


def print_table(rows, found):
    def uncounted(samples):
        return "" if samples else "  (no sample had the processor to itself)"

    print(f"{'operation':22}{'N':>6}  {'tier':11}{'ours us':>11}{'median':>11}  "
          f"{'peer':9}{'us':>12}{'median':>12}{'ratio':>8}")
    for row in rows:
        print(f"{row['op']:22}{'2^' + str(row['log_n']):>6}  {row['tier']:11}{row['ours_us']:11.1f}"
              f"{row['ours_median_us']:11.1f}  {row['peer']:9}{row['peer_us']:12.1f}{row['peer_median_us']:12.1f}"
              f"{row['ratio']:8.2f}{uncounted(min(row['ours_samples'], row['peer_samples']))}")
    for row in found["transforms"]:
        print(f"{row['op']} 2^{row['log_n']} {row['tier']}: {row['ratio']:.2f} of its operation limit"
              f" {row['limit_us']:.1f} us ({row['ratio_without_fold']:.2f} without the fold)")
    for row in found["rotation_over_kernels"]:
        print(f"rotate 2^{row['log_n']} {row['tier']}: {row['ratio']:.2f} of its kernels' {row['kernels_us']:.0f} us"
              f" in cache, {row['ratio_in_place']:.2f} of their {row['kernels_in_place_us']:.0f} us in place"
              f"{uncounted(row['samples'])}")
    for row in found["scaling"]:
        print(f"rotate 2^{row['log_n']} {row['tier']}: ten take {row['ratio']:.3f} of ten times one"
              f"{uncounted(row['samples'])}")
    for row in found.get("two_threads", []):
        print(f"{row['op']} 2^{row['log_n']} {row['tier']}: two threads reach {row['ratio']:.2f} of two processes")


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "bench",
                        help="build folder of preset bench")
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "results" / "primitives.json")
    parser.add_argument("--tiers", default="avx512ifma,avx2", help="those of them that the machine has (%(default)s)")
    parser.add_argument("--peers", default="Lattigo,SEAL", help="%(default)s, or an empty list")
    parser.add_argument("--repetitions", type=int, default=40, help="samples of each operation and side (%(default)s)")
    parser.add_argument("--only", default="", help="operations to run, all if empty")
    return parser.parse_args(argv)


def main(argv):
    options = parse(argv)
    options.build = options.build.resolve()  # tools run in other folders
    program = options.build / "bench" / "primitives_ours"
    load_before = os.getloadavg()
    only = [op for op in options.only.split(",") if op]
    operations = [entry for entry in OPERATIONS if not only or entry[0] in only]
    peers, missing = start_peers(options.peers.split(","), options.build)
    ours = start_ours(program, options.tiers.split(","))
    gate = sides.Gate(next(iter(ours.values())))
    all_sides = [*ours.values(), *peers]
    for side in all_sides:
        log(f"{side.name}: keys and operands")
        for op, log_n in operations:
            if supports(side, op):
                side.ask("run", op, log_n, 1)
    descriptions = {(side, log_n): side.ask("describe", log_n) for side in all_sides
                    for log_n in sorted({log_n for _, log_n in operations})}
    samples = measure(all_sides, gate, options.repetitions, operations)
    summaries = {key: summary(taken, gate) for key, taken in samples.items()}
    minima = {(op, log_n, tier): summaries[side, op, log_n]["us"]
              for tier, side in ours.items() for op, log_n in operations}
    found = measure_limits(program, ours, minima, gate, cpu_field("vendor_id"))
    rows = make_rows(summaries, ours, peers, descriptions, operations)
    shapes = [{"side": side.name, **shape} for (side, _), shape in descriptions.items()]
    own = [{"op": op, "log_n": log_n, "tier": tier, **summaries[side, op, log_n]}
           for tier, side in ours.items() for op, log_n in operations]
    result = {"machine": machine(options.build, gate, load_before), "repetitions": options.repetitions,
              "missing_peers": missing, "parameters": shapes, "rows": rows, "ours": own, "limits": found}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print_table(rows, found)
    for side in all_sides:
        side.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
