"""The programs that the comparison runs, and the calibration that gates their samples."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
LATTIGO_VERSION = "6.2.0"
SEAL_VERSION = "4.4.0"  # of the package seal-python
FETCH_SECONDS = 300
TOLERANCE = 1.10  # a calibration loop that takes more over its minimum means a busy machine
WAKE_UP_US = 100  # waited before a sample begins

# The exact module versions of go.mod and go.sum with the Go at hand.
GO_ENVIRONMENT = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}


@dataclass(frozen=True)
class Sample:
    us: float
    waited_us: float
    loop_us: float  # the slower calibration


class Missing(Exception):
    """Why a peer cannot run here."""


class Side:
    """A program that answers a line by a line of JSON."""

    def __init__(self, name, command, version="", environment=None):
        self.name, self.version = name, version
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})},
        )

    def send(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: ended with status {self.process.wait()}")
        return json.loads(line)

    def ask(self, *words):
        self.send(*words)
        return self.receive()

    def waited_us(self):
        """How long its threads have been ready without a processor, as far as the kernel tells."""
        total = 0
        for path in Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"):
            try:
                total += int(path.read_text(encoding="ascii").split()[1])
            except (OSError, IndexError):
                pass  # the thread has ended, or the kernel keeps no account
        return total / 1000

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Gate:
    """Judges whether a sample had the processor to itself: by a loop of dependent additions just before and after,
    and by the time that its process waited for others."""

    def __init__(self, side):
        self.side, self.minimum, self.additions = side, float("inf"), 0

    def calibrate(self):
        answer = self.side.ask("calibrate")
        self.minimum, self.additions = min(self.minimum, answer["us"]), answer["additions"]
        return answer["us"]

    def sample(self, side, *words):
        before, waited = self.calibrate(), side.waited_us()
        us = side.ask("run", *words)
        waited = side.waited_us() - waited
        return Sample(us, waited, max(before, self.calibrate()))

    def passes(self, sample):
        return (sample.loop_us <= TOLERANCE * self.minimum
                and sample.waited_us <= max((TOLERANCE - 1) * sample.us, WAKE_UP_US))

    def passes_all(self, samples):
        return all(map(self.passes, samples))

    def ghz(self):
        """One addition a cycle."""
        return self.additions / self.minimum / 1000


def run_tool(command, **options):
    try:
        result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, check=False, timeout=FETCH_SECONDS, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{command[0]}: {error}") from error
    if result.returncode != 0:
        raise Missing((result.stdout.strip().splitlines() or [f"{command[0]}: no message"])[-1])


def lattigo(folder):
    """Built from the module of exactly this version; one thread."""
    if shutil.which("go") is None:
        raise Missing("no `go` in PATH")
    program = folder / "primitives_lattigo"
    run_tool(["go", "build", "-o", program, "."], cwd=HERE / "lattigo", env={**os.environ, **GO_ENVIRONMENT})
    return Side("Lattigo", [program], LATTIGO_VERSION, {"GOMAXPROCS": "1"})


def seal(folder):
    """From the package index, in a virtual environment of its own."""
    python = folder / "peers" / "bin" / "python"
    if not python.exists():
        run_tool([sys.executable, "-m", "venv", folder / "peers"])
    run_tool([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r",
              HERE / "requirements.txt"])
    return Side("SEAL", [python, HERE / "seal_peer.py"], SEAL_VERSION, {"OMP_NUM_THREADS": "1"})
