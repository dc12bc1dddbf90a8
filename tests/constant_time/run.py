#!/usr/bin/env python3
"""Runs one case of constant_time_check under memcheck.

memcheck holds secrets for undefined (src/ffconv/base/secret_marks.h) and reports branches and addresses
that depend on them. A case passes when there is no report; a case planted_* passes when there is one
that names it, which shows that the others could fail. Skipped (77) where valgrind is missing.

Usage: run.py CHECK CASE TIER. CHECK is "missing" where the headers of valgrind are.
"""

import os
import shutil
import subprocess
import sys

SKIPPED = 77
REPORTED = 99  # --error-exitcode: no exit code of the check itself


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def main(check, case, tier):
    valgrind = shutil.which("valgrind")
    if valgrind is None or check == "missing":
        skip("valgrind is not installed (Debian package valgrind, scripts/packages-dev.txt)")
    run = subprocess.run(
        [valgrind, "--tool=memcheck", "--leak-check=no", f"--error-exitcode={REPORTED}", check, case],
        env=os.environ | {"FFCONV_SIMD": tier}, capture_output=True, text=True, check=False)
    report = run.stdout + run.stderr
    if run.returncode == 1 and "this machine has" in report:
        skip(f"no tier {tier} here under valgrind")
    if case.startswith("planted_"):
        passed = run.returncode == REPORTED and case in report
        print(f"{case}: {'found, as it must be' if passed else 'not found'}")
    else:
        passed = run.returncode == 0 and f"done in tier {tier}" in report
    if not passed:
        print(report)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
