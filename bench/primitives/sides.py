"""The programs that the comparison runs, and the calibration that gates their samples."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LATTIGO_VERSION = "6.2.0"
SEAL_VERSION = "4.4.0"  # of the package seal-python
FETCH_SECONDS = 300
TOLERANCE = 1.10  # a calibration loop that takes more over its minimum means a busy machine

# The exact module versions of go.mod and go.sum with the Go at hand.
GO_ENVIRONMENT = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}


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

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Gate:
    """Judges by a loop of dependent additions whether the processor was free, before and after a sample."""

    def __init__(self, side):
        self.side, self.minimum, self.additions = side, float("inf"), 0

    def calibrate(self):
        answer = self.side.ask("calibrate")
        self.minimum, self.additions = min(self.minimum, answer["us"]), answer["additions"]
        return answer["us"]

    def passes(self, loops):
        return max(loops) <= TOLERANCE * self.minimum

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
