"""The driver of tests/interop: skips are visible, and one failing step fails the whole."""

import contextlib
import importlib.util
import io
import os
import stat
import tempfile
import unittest
from pathlib import Path
from unittest import mock

RUN = Path(__file__).resolve().parents[1] / "interop" / "run.py"
spec = importlib.util.spec_from_file_location("interop_run", RUN)
interop = importlib.util.module_from_spec(spec)
spec.loader.exec_module(interop)


class InteropTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def program(self, name, body):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def run_main(self, **environment):
        output = io.StringIO()
        with mock.patch.dict(os.environ, environment), contextlib.redirect_stdout(output):
            return interop.main(["run.py", "interop_peer"]), output.getvalue()

    def test_without_go_it_is_skipped_with_the_reason(self):
        code, output = self.run_main(PATH=str(self.folder))
        self.assertEqual(code, 77)
        self.assertIn("SKIPPED: no `go` in PATH", output)

    def test_modules_that_cannot_be_fetched_are_a_skip_with_the_message_of_go(self):
        self.program("go", "echo no network; exit 1")
        code, output = self.run_main(PATH=f"{self.folder}:/bin:/usr/bin")
        self.assertEqual(code, 77)
        self.assertIn("SKIPPED: the Go modules cannot be fetched (no network)", output)

    def test_a_go_program_that_does_not_build_is_a_failure(self):
        self.program("go", '[ "$1" = mod ]')
        code, _ = self.run_main(PATH=f"{self.folder}:/bin:/usr/bin")
        self.assertEqual(code, 1)

    def test_all_steps_succeed_or_the_comparison_fails(self):
        good = self.program("good", "true")
        answers = self.program("answers", 'touch "$2"')
        offers_only = self.program("offers_only", '[ "$1" = offer ]')
        answers_and_fails = self.program("answers_and_fails", 'touch "$2"; false')
        self.assertTrue(interop.compare(good, answers, self.folder))
        self.assertFalse(interop.compare(offers_only, answers, self.folder))
        self.assertFalse(interop.compare(good, answers_and_fails, self.folder))

    def test_a_missing_answer_fails_the_comparison(self):
        good = self.program("good", "true")
        silent = self.program("silent", "true")
        self.assertFalse(interop.compare(good, silent, self.folder))


if __name__ == "__main__":
    unittest.main()
