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

TASK = run.Task("mnist-lola", "mnist", 20, 20, (("Orion", "lola"),))


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

    def close(self):
        pass

    def describe(self):
        return {"log_n": 13, "log_qp": 213.99, "ring": "real slots", "secret": "uniform ternary"}

    def exactness(self):
        return {"images": 20, "agree": 20, "max_score_error": 0.05}


def summary(us):
    return {"us": us, "median_us": us + 1000, "samples": 20, "taken": 21}


class RowTest(unittest.TestCase):
    def setUp(self):
        self.own = run.our_part(TASK, "avx2", FakeSide(), summary(7000.0))

    def test_a_row_has_the_times_and_the_security_of_both(self):
        peer = mock.Mock(description={"network": "its example", "log_n": 13, "log_qp": 217, "ring": "real slots",
                                      "secret": "1 or -1", "images": 3, "agree": 3, "max_score_error": 0.1,
                                      "largest_score": 5.0})
        row = {**self.own, **run.peer_part(peer, summary(350000.0), self.own)}
        self.assertEqual((row["task"], row["threads"], row["ours_ms"], row["ours_median_ms"]),
                         ("mnist-lola", 1, 7.0, 8.0))
        self.assertEqual((row["peer_ms"], row["peer_median_ms"], row["ratio"]), (350.0, 351.0, 50.0))
        self.assertTrue(row["ours_security"]["meets_128_bits"])
        self.assertFalse(row["peer_security"]["meets_128_bits"])
        self.assertEqual(row["peer_security"]["log_qp_limit"], 214)
        self.assertEqual(row["peer_exactness"]["agree"], 3)

    def test_versions_are_those_pinned(self):
        for name in run.PACKAGES:
            self.assertRegex(run.version(name), r"^\d+\.\d+\.\d+$")

    def test_128_bits_need_the_modulus_and_the_secret_of_the_table(self):
        for log_n, log_qp, secret, meets in ((13, 214, "uniform ternary", True), (13, 218, "uniform ternary", False),
                                             (14, 425, "1 or -1", False), (14, 430, run.TERNARY[1], True)):
            found = run.security({"log_n": log_n, "log_qp": log_qp, "ring": "", "secret": secret})
            self.assertEqual(found["meets_128_bits"], meets)

    def test_the_table_tells_why_a_peer_is_missing(self):
        row = {**self.own, "peer": "Orion", "peer_version": "1", **run.missing_part("lola", "no network")}
        with mock.patch("builtins.print") as printed:
            run.print_table([row])
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
        self.assertEqual(self.missing("""echo '{"missing": "convolutions of one channel only"}'"""),
                         "convolutions of one channel only")

    def test_where_memory_is_the_reason_it_says_how_much_there_was(self):
        self.assertEqual(self.missing("""echo '{"missing": "MemoryError: diagonals"}'"""),
                         "MemoryError: diagonals (of 1.0 GiB)")

    def test_a_peer_that_ends_is_missing_with_its_last_error(self):
        self.assertEqual(self.missing("echo 'fatal error: out of memory' >&2; echo goroutine 1 >&2; exit 2"),
                         "Orion: ended with status 2; fatal error: out of memory (of 1.0 GiB)")

    def test_a_peer_that_cannot_be_installed_is_missing_with_the_message_of_pip(self):
        body = 'if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; else echo no network; exit 1; fi'
        with mock.patch.object(sys, "executable", str(self.program(body))):
            with self.assertRaisesRegex(sides.Missing, "^no network$"):
                run.install("Orion", self.folder)

    def test_a_missing_peer_has_a_row_without_figures_and_leaves_the_others(self):
        task = run.Task("mnist-lola", "mnist", 20, 1, (("Orion", "lola"), ("TenSEAL", "tutorial-4")))
        ours, peer = FakeSide(5000.0), FakeSide(50000.0)
        ours.answer = {"peak_bytes": 2**20}
        peer.description = {**ours.describe(), "network": "its example", **ours.exactness(), "largest_score": 5.0}
        with mock.patch.multiple(run, Ours=mock.Mock(return_value=ours),
                                 Peer=mock.Mock(side_effect=[sides.Missing("no network"), peer])), \
                mock.patch.multiple(run.primitives, log=mock.DEFAULT, Progress=mock.DEFAULT):
            options = mock.Mock(build=self.folder, peers="Orion,TenSEAL", rounds=1)
            rows = run.run_task(task, options, sides.Gate(FakeSide()), "avx2")
        self.assertEqual([(row["peer"], row["ours_ms"], row["peer_ms"], row["ratio"]) for row in rows],
                         [("Orion", 5.0, None, None), ("TenSEAL", 5.0, 50.0, 10.0)])
        self.assertEqual((rows[0]["missing"], "missing" in rows[1]), ("no network", False))


if __name__ == "__main__":
    unittest.main()
