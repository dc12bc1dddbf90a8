#!/usr/bin/env python3
"""Holds FFConv's engine against Lattigo's conjugate-invariant CKKS (docs/interop.md).

Builds the Go program in lattigo/, then for each parameter set: FFConv writes an offer, Lattigo checks it
and writes an answer, FFConv checks the answer. The files stand in a temporary folder.

Usage: run.py INTEROP_PEER. Exit code 0: all checks passed; 77: skipped, with the reason; 1: otherwise.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

GO_SOURCES = Path(__file__).resolve().parent / "lattigo"
SETS = 2
SKIPPED = 77
FETCH_SECONDS = 180

# The exact module versions of go.mod and go.sum with the Go at hand: nothing is upgraded, no other Go
# is fetched.
GO_ENVIRONMENT = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}


def skip(reason):
    print(f"SKIPPED: {reason}; FFConv was not compared with Lattigo")
    return SKIPPED


def go(*arguments, timeout=None):
    return subprocess.run(
        ["go", *arguments], cwd=GO_SOURCES, env={**os.environ, **GO_ENVIRONMENT}, timeout=timeout,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )


def fetch():
    """None, or why Lattigo's module cannot be had."""
    if shutil.which("go") is None:
        return "no `go` in PATH"
    try:
        result = go("mod", "download", timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        return f"the Go modules did not arrive within {FETCH_SECONDS} s"
    if result.returncode != 0:
        last = (result.stdout.strip().splitlines() or ["no message"])[-1]
        return f"the Go modules cannot be fetched ({last})"
    return None


def compare(peer, lattigo, folder):
    """Whether both sides agree on every parameter set."""
    agreed = True
    for number in range(SETS):
        offer, answer = folder / f"offer{number}.json", folder / f"answer{number}.json"
        steps = (
            (peer, "offer", str(number), offer), (lattigo, offer, answer), (peer, "check", str(number), answer),
        )
        for step in steps:
            sys.stdout.flush()
            if subprocess.run(step, check=False).returncode != 0:
                agreed = False
            if step[0] == lattigo and not answer.is_file():
                return False
    return agreed


def main(argv):
    if len(argv) != 2:
        print(__doc__)
        return 2
    peer = Path(argv[1]).resolve()
    reason = fetch()
    if reason is not None:
        return skip(reason)
    with tempfile.TemporaryDirectory(prefix="ffconv-interop-") as name:
        folder = Path(name)
        lattigo = folder / "interop_lattigo"
        built = go("build", "-o", str(lattigo), ".")
        if built.returncode != 0:
            print(built.stdout)
            return 1
        return 0 if compare(peer, lattigo, folder) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
