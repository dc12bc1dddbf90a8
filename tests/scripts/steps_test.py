"""scripts/steps.sh: what it adds up and how it ends, on planted result files."""

import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

JUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="Linux-c++"
\ttests="{tests}"
\tfailures="{failures}"
\tdisabled="{disabled}"
\tskipped="{skipped}"
\thostname=""
\ttime="0">
\t<testcase name="a" tests="99" failures="99"/>
</testsuite>
"""


class StepsTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def plant(self, name, tests, failures=0, skipped=0, disabled=0):
        """A command that writes a result file to `name` when it runs; returns (file, command)."""
        source = Path(self.directory.name) / f"{name}.planted"
        source.write_text(JUNIT.format(tests=tests, failures=failures, skipped=skipped, disabled=disabled))
        return str(Path(self.directory.name) / name), f"cp {source} {self.directory.name}/{name}"

    def run_steps(self, *lines):
        """Runs the lines and finish; returns (last line, exit code)."""
        script = "\n".join(["set -euo pipefail", "source scripts/steps.sh", *lines, "finish"])
        result = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
        self.assertEqual(result.stderr, "")
        return result.stdout.splitlines()[-1], result.returncode

    def test_the_counts_of_all_steps_are_added(self):
        first, run_first = self.plant("first.xml", tests=10)
        second, run_second = self.plant("second.xml", tests=5)
        ends = self.run_steps(f"step one {first} {run_first}", f"step two {second} {run_second}")
        self.assertEqual(ends, ("15 passed, 0 failed", 0))

    def test_skipped_and_disabled_tests_and_steps_do_not_count_as_passed(self):
        junit, run = self.plant("a.xml", tests=10, skipped=2, disabled=1)
        ends = self.run_steps(f"step one {junit} {run}", "skip two 'no such machine'")
        self.assertEqual(ends, ("7 passed, 0 failed, 4 skipped", 0))

    def test_a_failed_test_fails_the_whole_and_later_steps_still_run(self):
        junit, run = self.plant("a.xml", tests=10, failures=3)
        ends = self.run_steps(f"step one {junit} sh -c '{run}; exit 8'", "step two - true")
        self.assertEqual(ends, ("8 passed, 3 failed", 1))

    def test_a_command_that_fails_without_a_failed_test_counts_once(self):
        junit, run = self.plant("a.xml", tests=10)
        ends = self.run_steps(f"step one {junit} sh -c '{run}; exit 1'", "step two - false")
        self.assertEqual(ends, ("10 passed, 2 failed", 1))

    def test_a_command_that_succeeds_without_running_tests_is_a_failure(self):
        ends = self.run_steps(f"step one {self.directory.name}/none.xml true")
        self.assertEqual(ends, ("0 passed, 1 failed", 1))

    def test_results_of_an_earlier_run_are_not_counted(self):
        junit, _ = self.plant("a.xml", tests=10)
        Path(junit).write_text(Path(f"{junit}.planted").read_text())
        ends = self.run_steps(f"step one {junit} false")
        self.assertEqual(ends, ("0 passed, 1 failed", 1))


if __name__ == "__main__":
    unittest.main()
