"""Tests of what compares encrypted inference with other libraries (bench/peers), without these libraries."""

import importlib.util
import json
import stat
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

PEERS = Path(__file__).resolve().parents[2] / "bench" / "peers"
sys.path.insert(0, str(PEERS.parent / "primitives"))

import sides  # noqa: E402

# Its name is also that of the program for primitives.
spec = importlib.util.spec_from_file_location("peers_run", PEERS / "run.py")
run = importlib.util.module_from_spec(spec)
sys.modules["peers_run"] = run  # data classes look for their module
spec.loader.exec_module(run)

TASK = run.Task("mnist-lola", "mnist", 13, 20, 20, (("Orion", "lola"),))
OURS = {"log_n": 13, "log_qp": 213.99, "ring": "real slots", "secret": "uniform ternary"}


class FakeSide:
    """Answers with these microseconds."""

    def __init__(self, us=10.0, order=None):
        self.us, self.order = us, order

    def ask(self, command, *_words):
        if command == "calibrate":
            return {"us": 100.0, "additions": 400000}
        if self.order is not None:
            self.order.append(self)
        return self.us

    def waited_us(self):
        return 0.0

    def exactness(self):
        return {"images": 20, "agree": 20, "max_score_error": 0.05}


def summary(us):
    return {"us": us, "median_us": us + 1000, "samples": 20, "taken": 21}


class RowTest(unittest.TestCase):
    def row(self, found, other=None):
        return run.make_row(TASK, "avx2", FakeSide(), OURS, summary(7000.0), "Orion", "lola", found, other)

    def test_a_row_has_the_times_and_the_security_of_both(self):
        peer = mock.Mock(description={"network": "of its example", "log_n": 13, "log_qp": 217, "ring": "real slots",
                                      "secret": "1 or -1", "images": 3, "agree": 3, "max_score_error": 0.1,
                                      "largest_score": 5.0})
        row = self.row(peer, summary(350000.0))
        self.assertEqual((row["ours_ms"], row["ours_median_ms"], row["peer_ms"], row["peer_median_ms"], row["ratio"]),
                         (7.0, 8.0, 350.0, 351.0, 50.0))
        self.assertEqual((row["task"], row["threads"], row["peer_version"]), ("mnist-lola", 1, run.version("Orion")))
        self.assertTrue(row["ours_security"]["meets_128_bits"])
        self.assertFalse(row["peer_security"]["meets_128_bits"])
        self.assertEqual(row["peer_security"]["log_qp_limit"], 214)
        self.assertEqual(row["peer_exactness"]["agree"], 3)

    def test_a_missing_peer_has_a_reason_and_no_figures(self):
        row = self.row("no network")
        self.assertEqual((row["missing"], row["ours_ms"]), ("no network", 7.0))
        self.assertEqual((row["peer_ms"], row["ratio"]), (None, None))

    def test_128_bits_need_the_modulus_and_the_secret_of_the_table(self):
        for log_n, log_qp, secret, meets in ((13, 214, "uniform ternary", True), (13, 218, "uniform ternary", False),
                                             (14, 425, "1 or -1", False), (14, 430, run.TERNARY[1], True)):
            found = run.security({"log_n": log_n, "log_qp": log_qp, "ring": "", "secret": secret})
            self.assertEqual(found["meets_128_bits"], meets)

    def test_the_table_shows_every_row(self):
        with mock.patch("builtins.print") as printed:
            run.print_table([self.row("no network")])
        self.assertIn("missing, lola: no network", printed.call_args.args[0])


class MeasureTest(unittest.TestCase):
    def test_sides_take_turns_until_each_has_its_samples(self):
        order = []
        ours, peer = FakeSide(order=order), FakeSide(order=order)
        with mock.patch.object(run.primitives, "Progress"):
            samples = run.measure(TASK, [ours, peer], sides.Gate(FakeSide()), 3)
        self.assertEqual(order, [ours, peer, peer, ours, ours, peer])
        self.assertEqual([len(taken) for taken in samples], [3, 3])


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def program(self, body):
        path = self.folder / "program"
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def test_our_sample_is_the_median_of_a_process(self):
        answer = {"median_ms": 6.5, "images": 20, "agree": 20, "max_score_error": 0.05, "peak_bytes": 1}
        ours = run.Ours(self.program(f"echo '{json.dumps(answer)}'"), TASK)
        self.assertEqual(ours.ask("run"), 6500.0)
        self.assertEqual(ours.exactness(), {"images": 20, "agree": 20, "max_score_error": 0.05})
        self.assertGreaterEqual(ours.waited_us(), 0.0)

    def test_our_program_must_succeed(self):
        with self.assertRaisesRegex(RuntimeError, "ffconv evaluate mnist-lola.onnx: status 3"):
            run.Ours(self.program("exit 3"), TASK).ask("run")

    def peer(self, body):
        """A peer whose Python is this script."""
        with mock.patch.object(run, "install", return_value=self.program(body)):
            return run.Peer("Orion", "lola", self.folder, 2**20)

    def test_a_peer_describes_itself_and_runs(self):
        peer = self.peer("""echo '{"log_n": 13}'; while read _; do echo 12.5; done""")
        self.assertEqual((peer.description, peer.ask("run")), ({"log_n": 13}, 12.5))
        peer.close()

    def missing(self, body):
        with self.assertRaises(sides.Missing) as caught:
            self.peer(body)
        return str(caught.exception)

    def test_a_peer_that_gives_a_reason_is_missing_for_it(self):
        self.assertEqual(self.missing("""echo '{"missing": "MemoryError: 3"}'"""),
                         "MemoryError: 3 (with 1.0 GiB of memory)")

    def test_a_peer_that_ends_is_missing_with_its_last_error(self):
        self.assertEqual(self.missing("echo 'fatal error: out of memory' >&2; echo goroutine 1 >&2; exit 2"),
                         "Orion: ended with status 2; fatal error: out of memory (with 1.0 GiB of memory)")

    def test_a_peer_that_cannot_be_installed_is_missing_with_the_message_of_pip(self):
        body = 'if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; else echo no network; exit 1; fi'
        with mock.patch.object(sys, "executable", str(self.program(body))):
            with self.assertRaisesRegex(sides.Missing, "^no network$"):
                run.install("Orion", self.folder)

    def test_a_peer_that_is_missing_leaves_the_others(self):
        ours = mock.Mock(answer={"peak_bytes": 2**20})
        task = run.Task("mnist-lola", "mnist", 13, 20, 20, (("Orion", "lola"), ("TenSEAL", "tutorial-4")))
        side = mock.Mock()
        with mock.patch.object(run, "Peer", side_effect=[sides.Missing("no network"), side]), \
                mock.patch.object(run.primitives, "log"):
            found = run.start_peers(task, ["Orion", "TenSEAL"], ours, self.folder)
        self.assertEqual(found, {("Orion", "lola"): "no network", ("TenSEAL", "tutorial-4"): side})


if __name__ == "__main__":
    unittest.main()
