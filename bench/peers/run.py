#!/usr/bin/env python3
"""Measures encrypted inference beside TenSEAL and Orion, in turns, on one thread (README.md).

A round takes one sample of each side; a sample counts where a loop of additions in a register took no more than 10 %
over its minimum just before and after, and the process did not wait for a processor. Prints a table and writes JSON.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "bench" / "primitives"))

import run as primitives  # noqa: E402
import sides  # noqa: E402

PACKAGES = {"Orion": "orion-fhe", "TenSEAL": "tenseal"}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "GOMAXPROCS": "1"}
# Largest log2 QP for 128 bits with secrets of TERNARY, by log2 N (docs/security.md).
LOG_QP_LIMITS = {12: 106, 13: 214, 14: 430, 15: 868, 16: 1747, 17: 3523}
TERNARY = ("uniform ternary", "ternary, two thirds not zero")
SPARE_KIB = 2**20  # of memory, left to the system


@dataclass(frozen=True)
class Task:
    model: str  # of models/
    data: str  # of samples/
    images: int  # a sample of ours is the median of so many
    rounds: int
    peers: tuple  # name and network


def cifar(model, *peers):
    return Task(model, "cifar10", 5, 5, peers or (("Orion", model), ("TenSEAL", model)))


TASKS = (
    Task("mnist-lola", "mnist", 20, 20, (("Orion", "lola"), ("Orion", "mnist-lola"), ("TenSEAL", "tutorial-4"))),
    cifar("cifar-fast"),
    cifar("cifar-lola"),
    cifar("cifar-vgg-s"),
    cifar("cifar-vgg"),
    cifar("cifar-vgg-s", ("Orion", "resnet20")),  # by itself, for the memory's sake
)


class Ours(sides.Side):
    """Each sample is a process, which compiles the network, makes keys and classifies some images one by one."""

    def __init__(self, program, task):
        self.name, self.waited = "FFConv", 0.0
        self.program, self.model = program, ROOT / "models" / f"{task.model}.onnx"
        # The plan for evaluation alone, which is what is compared.
        self.compilation = ("--json", "--quiet", "--bandwidth", "inf")
        self.evaluation = ("--data", ROOT / "samples" / task.data, "--images", task.images, "--encrypted",
                           "--threads", 1)

    def json(self, command, *options):
        """What the command prints, and what part of its time it waited for a processor."""
        words = [self.program, command, self.model, *options, *self.compilation]
        start = time.monotonic()
        self.process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
        with self.process:
            output = self.process.stdout.read()
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
            waited = super().waited_us() / 1e6  # while the kernel still keeps the account
        if self.process.returncode != 0:
            raise RuntimeError(f"ffconv {command} {self.model.name}: status {self.process.returncode}")
        return json.loads(output), waited / (time.monotonic() - start)

    def describe(self):
        plan, _ = self.json("plan")
        return {"log_n": plan["log_n"], "log_qp": plan["log_qp"], "ring": "real slots", "secret": "uniform ternary"}

    def ask(self, _command):
        self.answer, waited = self.json("evaluate", *self.evaluation)
        us = 1000 * self.answer["median_ms"]
        self.waited += waited * us
        return us

    def waited_us(self):
        return self.waited

    def exactness(self):
        return {key: self.answer[key] for key in ("images", "agree", "max_score_error")}


class Peer(sides.Side):
    """A program beside this one, in the virtual environment of its package, with a bound on its memory."""

    def __init__(self, name, network, folder, memory_kib):
        self.log = folder / f"{name}-{network}.log"
        python = install(name, folder)
        super().__init__(name, ["sh", "-c", 'ulimit -d "$1" && log=$2 && shift 2 && exec "$@" 2> "$log"', "sh",
                                memory_kib, self.log, python, HERE / f"{name.lower()}_peer.py", network],
                         version(name), {**ONE_THREAD, "GOMEMLIMIT": f"{2 * memory_kib // 3}KiB"})
        self.description = self.compiled(memory_kib)

    def compiled(self, memory_kib):
        """Its description, once it has compiled the network and compared its results."""
        try:
            answer = self.receive()
        except RuntimeError as error:
            errors = [line for line in self.log.read_text().splitlines() if "error" in line.lower()]
            answer = {"missing": "; ".join([str(error), *errors[-1:]])}
        if "missing" not in answer:
            return answer
        self.close()
        bound = f" (of {memory_kib / 2**20:.1f} GiB)" if "memory" in answer["missing"].lower() else ""
        raise sides.Missing(answer["missing"] + bound)


def version(name):
    """As pinned."""
    return re.search(rf"^{PACKAGES[name]}==(.+)$", requirements(name).read_text(), re.MULTILINE).group(1)


def requirements(name):
    return HERE / f"requirements-{name.lower()}.txt"


def install(name, folder):
    """The Python that has the peer's packages, each of the version pinned."""
    python = folder / name / "bin" / "python"
    for command in ([sys.executable, "-m", "venv", folder / name], [
            python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements(name)]):
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if result.returncode != 0:
            raise sides.Missing((result.stdout.strip().splitlines() or ["no message"])[-1])
    return python


def memory_kib():
    """What the machine has free."""
    return int(re.search(r"^MemAvailable: *(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE).group(1))


def start_peers(task, names, ours, folder):
    """{(peer, network): side, or why it is missing}."""
    reserved = ours.answer["peak_bytes"] // 1024 + SPARE_KIB
    peers = {}
    for name, network in task.peers:
        if name in names:
            primitives.log(f"{task.model}: preparing {name}, {network}")
            try:
                peers[name, network] = Peer(name, network, folder, memory_kib() - reserved)
            except sides.Missing as error:
                peers[name, network] = str(error)
                primitives.log(f"missing: {error}")
    return peers


def measure(task, all_sides, gate, rounds):
    """Samples of each side."""
    samples = [[] for _ in all_sides]
    progress = primitives.Progress(rounds)
    for number in range(primitives.MOST_ROUNDS * rounds):
        done = min(sum(map(gate.passes, taken)) for taken in samples)
        progress.show(done, f"{task.model}: round {number + 1}")
        if done >= rounds:
            break
        # Another side begins in each round.
        turn = number % len(all_sides)
        for index in (*range(turn, len(all_sides)), *range(turn)):
            samples[index].append(gate.sample(all_sides[index]))
    return samples


def security(description):
    limit = LOG_QP_LIMITS[description["log_n"]]
    return {**{key: description[key] for key in ("log_n", "log_qp", "ring", "secret")}, "log_qp_limit": limit,
            "meets_128_bits": description["log_qp"] <= limit and description["secret"] in TERNARY}


def times(side, summary):
    return {f"{side}_ms": summary["us"] / 1000, f"{side}_median_ms": summary["median_us"] / 1000,
            f"{side}_samples": summary["samples"], f"{side}_taken": summary["taken"]}


def our_part(task, tier, ours, summary):
    """Of a row."""
    return {"task": task.model, **times("ours", summary), "tier": tier, "threads": 1,
            "ours_exactness": ours.exactness(),
            "ours_security": security(ours.describe())}


def peer_part(peer, summary, own):
    """Of a row, beside our part."""
    description, found = peer.description, times("peer", summary)
    exactness = {key: description[key] for key in ("images", "agree", "max_score_error", "largest_score")}
    return {"peer_network": description["network"], **found, "ratio": found["peer_ms"] / own["ours_ms"],
            "peer_exactness": exactness, "peer_security": security(description)}


def missing_part(network, reason):
    return {"peer_network": network, "missing": reason, "peer_ms": None, "ratio": None}


def run_task(task, options, gate, tier):
    ours = Ours(options.build / "apps" / "ffconv" / "ffconv", task)
    ours.ask("run")
    peers = start_peers(task, options.peers.split(","), ours, options.build / "peers")
    running = [side for side in peers.values() if not isinstance(side, str)]
    samples = measure(task, [ours, *running], gate, options.rounds or task.rounds)
    own_summary, *summaries = (primitives.summary(taken, gate) for taken in samples)
    own = our_part(task, tier, ours, own_summary)
    parts = {side: peer_part(side, summary, own) for side, summary in zip(running, summaries)}
    rows = [{**own, "peer": name, "peer_version": version(name), **(parts.get(found) or missing_part(network, found))}
            for (name, network), found in peers.items()]
    for side in running:
        side.close()
    return rows


def print_table(rows):
    def yes(meets):
        return "yes" if meets else "no"

    print(f"{'task':14}{'ours ms':>9}{'median':>9}{'128':>5}  {'peer':16}{'ms':>10}{'median':>10}{'ratio':>8}{'128':>5}"
          "  its network")
    for row in rows:
        start = (f"{row['task']:14}{row['ours_ms']:9.1f}{row['ours_median_ms']:9.1f}"
                 f"{yes(row['ours_security']['meets_128_bits']):>5}  {row['peer'] + ' ' + row['peer_version']:16}")
        if "missing" in row:
            print(f"{start}  missing, {row['peer_network']}: {row['missing']}")
            continue
        busy = "" if row["ours_samples"] and row["peer_samples"] else "  (no sample had the processor to itself)"
        print(f"{start}{row['peer_ms']:10.1f}{row['peer_median_ms']:10.1f}{row['ratio']:8.1f}"
              f"{yes(row['peer_security']['meets_128_bits']):>5}  {row['peer_network']}{busy}")


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "bench", help="build folder of preset bench")
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "results" / "peers.json")
    parser.add_argument("--tasks", default="", help="networks to run, all if empty")
    parser.add_argument("--peers", default=",".join(PACKAGES), help="%(default)s, or an empty list")
    parser.add_argument("--rounds", type=int, help="samples of each side (20 for MNIST, 5 for CIFAR-10)")
    return parser.parse_args(argv)


def main(argv):
    options = parse(argv)
    options.build = options.build.resolve()
    (options.build / "peers").mkdir(exist_ok=True)
    load_before = os.getloadavg()
    wanted = [task for task in TASKS if not options.tasks or task.model in options.tasks.split(",")]
    tasks = [task for task in wanted if (ROOT / "models" / f"{task.model}.onnx").is_file()]
    for task in wanted:
        if task not in tasks:
            primitives.log(f"{task.model}: not in models/, left out")
    loop = sides.Side("loop", [options.build / "bench" / "primitives_ours"])
    tier, gate = loop.ask("tiers")[0], sides.Gate(loop)
    rows = []
    options.output.parent.mkdir(parents=True, exist_ok=True)
    for task in tasks:
        rows += run_task(task, options, gate, tier)
        result = {"machine": primitives.machine(options.build, gate, load_before), "rows": rows}
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print_table(rows)
    loop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
