#!/usr/bin/env python3
"""The demo, and what changes when the program writes to a terminal."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unittest

from app_test import MODELS, PROGRAM, ROOT, AppTest

HALF_BLOCK = "\u2580"
ESCAPE = "\x1b"


class Terminal(AppTest):
    def in_terminal(self, *arguments, columns=80, **environment):
        """Exit code and everything that the program writes to a terminal of that width."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        env = os.environ | {"TERM": "xterm-256color", "COLORTERM": ""} | environment
        process = subprocess.Popen([PROGRAM, *map(str, arguments)], cwd=self.dir, env=env,
                                   stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
        os.close(theirs)
        output = b""
        while True:
            try:
                chunk = os.read(ours, 1 << 16)
            except OSError:  # the program has closed its end
                chunk = b""
            if not chunk:
                break
            output += chunk
        os.close(ours)
        return process.wait(), output.decode()

    demo = ("demo", "--root", ROOT, "--model", MODELS / "mnist-lola-small.onnx", "--images")

    def test_the_demo_shows_its_steps_and_its_images_without_a_terminal(self):
        text = self.ok(*self.demo, 10)
        self.assertEqual(re.findall(r"^(\d) ", text, re.M), ["1", "2", "3", "4", "5"])
        self.assertEqual(re.findall(r"true  (\d)", text), [str(d) for d in range(10)])
        self.assertIn("10 of 10 as the network says unencrypted", text)
        for word in ("predicted", "rotations", "keys", "upload", "download", "2^", "packing"):
            self.assertIn(word, text)
        self.assertNotIn(ESCAPE, text)
        self.assertTrue(text.isascii())
        self.assertLessEqual(max(map(len, text.splitlines())), 100)

    def widths(self, text):
        """Of the rows of pictures, in characters on the screen."""
        rows = [re.sub(rf"{ESCAPE}\[[0-9;]*m", "", line) for line in text.splitlines()]
        return [len(row) for row in rows if HALF_BLOCK in row]

    def test_the_demo_draws_in_the_colours_and_columns_that_the_terminal_has(self):
        code, text = self.in_terminal(*self.demo, 6)
        self.assertEqual(code, 0)
        self.assertIn(f"{ESCAPE}[38;5;", text)
        self.assertEqual(max(self.widths(text)), 4 * 18 + 3 * 2)
        _, text = self.in_terminal(*self.demo, 3, columns=40, COLORTERM="truecolor")
        self.assertIn(f"{ESCAPE}[38;2;", text)
        self.assertEqual(max(self.widths(text)), 2 * 18 + 2)
        _, text = self.in_terminal(*self.demo, 1, NO_COLOR="1")
        self.assertNotIn(HALF_BLOCK, text)

    def test_progress_is_shown_in_a_terminal_only_and_erased(self):
        code, text = self.in_terminal("doctor")
        self.assertEqual(code, 0)
        self.assertRegex(text, r"kernels +\[#+-*\] +\d+ %  .* left")
        self.assertRegex(text, rf"\r{re.escape(ESCAPE)}\[Kversion")
        for line in re.split(rf"\r(?:{re.escape(ESCAPE)}\[K|\n)", text):
            self.assertLessEqual(len(line), 80)
        _, quiet = self.in_terminal("doctor", "--quiet")
        self.assertNotIn(" left", quiet)

    def test_the_demo_fails_where_it_finds_nothing_to_show(self):
        self.refused("demo", "--root", self.dir, says=["models/", "samples/", "--root"])


if __name__ == "__main__":
    unittest.main()
