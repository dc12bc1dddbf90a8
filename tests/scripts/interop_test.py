"""The drivers of tests/interop: skips are visible, and one failing step fails the whole."""

import array
import contextlib
import importlib.util
import io
import os
import stat
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

INTEROP = Path(__file__).resolve().parents[1] / "interop"


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lattigo = load("lattigo_run", INTEROP / "run.py")
onnxruntime = load("onnxruntime_run", INTEROP / "onnxruntime" / "run.py")


class DriverTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def program(self, name, body):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def output_of(self, call, *arguments):
        """Its result and what it prints."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            return call(*arguments), output.getvalue()


class LattigoTest(DriverTest):
    def run_main(self, **environment):
        with mock.patch.dict(os.environ, environment):
            return self.output_of(lattigo.main, ["run.py", "interop_peer"])

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
        self.assertTrue(lattigo.compare(good, answers, self.folder))
        self.assertFalse(lattigo.compare(offers_only, answers, self.folder))
        self.assertFalse(lattigo.compare(good, answers_and_fails, self.folder))

    def test_a_missing_answer_fails_the_comparison(self):
        good = self.program("good", "true")
        silent = self.program("silent", "true")
        self.assertFalse(lattigo.compare(good, silent, self.folder))


class OnnxRuntimeTest(DriverTest):
    def run_main(self, python, peer="true"):
        """With that program as Python, which makes virtual environments, and that peer."""
        with mock.patch.object(sys, "executable", str(python)):
            return self.output_of(onnxruntime.main, [str(self.program("peer", peer)), str(self.folder), str(self.folder)])

    def python(self, inside):
        """A program that makes virtual environments whose Python is `inside`, a script."""
        inner = self.program("inner", inside)
        return self.program("python", f'mkdir -p "$3/bin" && cp {inner} "$3/bin/python"')

    def test_without_virtual_environments_it_is_skipped_with_the_reason(self):
        code, output = self.run_main(self.program("python", "echo ensurepip is not available; exit 1"))
        self.assertEqual(code, 77)
        self.assertIn("SKIPPED: no virtual environment can be made (ensurepip is not available)", output)

    def test_a_package_that_cannot_be_fetched_is_a_skip_with_the_message_of_pip(self):
        code, output = self.run_main(self.python("echo no network; exit 1"))
        self.assertEqual(code, 77)
        self.assertIn("SKIPPED: onnxruntime cannot be fetched (no network)", output)

    def test_the_peer_and_the_comparison_must_succeed(self):
        log = self.folder / "log"
        inside = f'case "$*" in *--compare*) echo compared >> {log}; exit 0;; esac'
        self.assertEqual(self.run_main(self.python(inside))[0], 0)
        self.assertEqual(log.read_text(), "compared\n")
        self.assertEqual(self.run_main(self.python(inside), peer='[ "$1" != files ]')[0], 1)
        self.assertEqual(log.read_text(), "compared\n")
        failing = inside.replace("exit 0", "exit 1")
        (self.folder / "onnxruntime" / "bin" / "python").unlink()
        self.assertEqual(self.run_main(self.python(failing))[0], 1)

    def compare(self, expected, got):
        """Of one model with these scores here and there, for pixels that must arrive."""
        (self.folder / "m.input").write_bytes(array.array("f", [0.5, 2]).tobytes())
        (self.folder / "m.scores").write_bytes(array.array("d", expected).tobytes())

        def scores(model, pixels):
            self.assertEqual((model.name, list(pixels)), ("m.onnx", [0.5, 2]))
            return got
        return self.output_of(onnxruntime.compare, [self.folder / "m.onnx"], self.folder, scores)

    def test_scores_must_agree_to_a_part_of_the_largest(self):
        self.assertTrue(self.compare([1000, 1], [1000.009, 1])[0])
        agrees, output = self.compare([1000, 1], [1000.011, 1])
        self.assertFalse(agrees)
        self.assertIn("m.onnx: scores differ by 1.1e-05 of the largest", output)
        self.assertFalse(self.compare([0.1], [0.10002])[0])

    def test_scores_that_are_missing_or_not_a_number_fail(self):
        agrees, output = self.compare([1, 2], [1])
        self.assertFalse(agrees)
        self.assertIn("m.onnx: 1 scores, here 2", output)
        self.assertFalse(self.compare([1, 2], [1, float("nan")])[0])
        self.assertFalse(self.output_of(onnxruntime.compare, [], self.folder, None)[0])


if __name__ == "__main__":
    unittest.main()
