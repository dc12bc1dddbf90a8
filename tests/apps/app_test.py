"""What the tests of the command line share."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

PROGRAM = os.environ.get("FFCONV_PROGRAM", "build/dev/apps/ffconv/ffconv")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "models"
DIGITS = ROOT / "samples" / "mnist"


class AppTest(unittest.TestCase):
    """Each test has an empty directory, self.dir, in which the program runs."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)

    def run_app(self, *arguments, **environment):
        return subprocess.run([PROGRAM, *map(str, arguments)], cwd=self.dir, capture_output=True,
                              text=True, env=os.environ | environment, check=False)

    def ok(self, *arguments):
        """Standard output of a run that must succeed without a word on standard error."""
        done = self.run_app(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.ok(*arguments, "--json"))

    def refused(self, *arguments, says, code=1, **environment):
        """A run that must fail, with one line that has every part of `says`, without any output and
        without any change to the directory."""
        before = self.snapshot()
        done = self.run_app(*arguments, **environment)
        self.assertEqual(done.returncode, code, (arguments, done.stderr))
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("ffconv: "), done.stderr)
        self.assertTrue(done.stderr.endswith("\n"))
        for part in says:
            self.assertIn(part, done.stderr)
        self.assertEqual(self.snapshot(), before, f"{arguments} left files behind")
        return done.stderr

    def snapshot(self):
        return {str(p.relative_to(self.dir)): p.read_bytes()
                for p in self.dir.rglob("*") if p.is_file()}

    def write(self, name, content):
        (self.dir / name).write_bytes(content)
        return name

    def read(self, name):
        return (self.dir / name).read_bytes()

    def size(self, name):
        return (self.dir / name).stat().st_size

    def assert_types(self, value, types, what=""):
        """`types`: a type, a tuple of types, or a dict of them by key, all of which must be there."""
        if isinstance(types, dict):
            self.assertIsInstance(value, dict, what)
            for key, expected in types.items():
                self.assertIn(key, value, what)
                self.assert_types(value[key], expected, f"{what}.{key}")
        else:
            self.assertIsInstance(value, types, what)
            self.assertFalse(isinstance(value, bool) and types is not bool, what)
