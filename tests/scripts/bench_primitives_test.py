"""Tests of what compares the engine's operations with other libraries (bench/primitives)."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench" / "primitives"))

import limits  # noqa: E402
import run  # noqa: E402
import sides  # noqa: E402


class FakeSide:
    """Answers as a program does; its calibration loops take the given times in turn, then the last one."""

    def __init__(self, name, us=10.0, loops=(100.0,), waits=0.0):
        self.name, self.version, self.us, self.loops, self.waits = name, "1", us, list(loops), waits
        self.asked, self.waited = [], 0.0

    def ask(self, command, *words):
        if command == "calibrate":
            return {"us": self.loops.pop(0) if len(self.loops) > 1 else self.loops[0], "additions": 400000}
        self.asked.append(words)
        self.waited += self.waits
        return self.us

    def waited_us(self):
        return self.waited


class GateTest(unittest.TestCase):
    def sample(self, loop_us=100.0, waited_us=0.0, us=10.0):
        return sides.Sample(us, waited_us, loop_us)

    def test_samples_beside_slow_loops_do_not_count(self):
        gate = sides.Gate(FakeSide("FFConv"))
        gate.calibrate()
        self.assertTrue(gate.passes(self.sample(loop_us=109.0)))
        self.assertFalse(gate.passes(self.sample(loop_us=111.0)))

    def test_samples_that_waited_for_a_processor_do_not_count(self):
        gate = sides.Gate(FakeSide("FFConv"))
        gate.calibrate()
        self.assertTrue(gate.passes(self.sample(waited_us=99.0)))
        self.assertFalse(gate.passes(self.sample(waited_us=3000.0)))
        self.assertTrue(gate.passes(self.sample(waited_us=3000.0, us=50000.0)))

    def test_a_later_minimum_judges_earlier_samples(self):
        gate = sides.Gate(FakeSide("FFConv", loops=(150.0, 150.0, 100.0)))
        side = FakeSide("Lattigo")
        early = gate.sample(side, "rotate", 14, 1)
        self.assertTrue(gate.passes(early))
        gate.calibrate()
        self.assertFalse(gate.passes(early))

    def test_one_addition_a_cycle_gives_the_frequency(self):
        gate = sides.Gate(FakeSide("FFConv"))
        gate.calibrate()
        self.assertAlmostEqual(gate.ghz(), 4.0)


class MeasureTest(unittest.TestCase):
    def test_sides_take_turns(self):
        order = []
        pair = [FakeSide("FFConv"), FakeSide("Lattigo")]
        for side in pair:
            ask = side.ask
            side.ask = lambda command, *words, side=side, ask=ask: (
                command == "run" and order.append(side.name), ask(command, *words))[1]
        run.measure(pair, sides.Gate(pair[0]), 3, [("rotate", 14)])
        self.assertEqual(order, ["FFConv", "Lattigo", "Lattigo", "FFConv", "FFConv", "Lattigo"])

    def test_dropped_samples_are_taken_again_up_to_a_bound(self):
        side, busy = FakeSide("FFConv"), FakeSide("Lattigo", waits=5000.0)
        samples = run.measure([side, busy], sides.Gate(side), 4, [("rotate", 14)])
        self.assertEqual(len(samples[busy, "rotate", 14]), 4 * run.MOST_ROUNDS)
        found = run.summary(samples[busy, "rotate", 14], sides.Gate(side))
        self.assertEqual((found["samples"], found["taken"]), (0, 12))

    def test_an_operation_that_a_peer_lacks_has_no_row(self):
        side, peer = FakeSide("FFConv", us=10.0), FakeSide("SEAL", us=45.0)
        operations = [("rotate", 14), ("rotate_hoisted", 14)]
        gate = sides.Gate(side)
        samples = run.measure([side, peer], gate, 2, operations)
        summaries = {key: run.summary(taken, gate) for key, taken in samples.items()}
        shape = {"prime_bits": 45.0, "modulus_bits": 271.0, "special_bits": 138.0}
        rows = run.make_rows(summaries, {"avx2": side}, [peer], {(side, 14): shape, (peer, 14): shape}, operations)
        self.assertEqual([(row["op"], row["tier"], row["peer"], row["ratio"]) for row in rows],
                         [("rotate", "avx2", "SEAL", 4.5)])


class LimitsTest(unittest.TestCase):
    def test_transforms_on_a_machine_of_four_operations_a_cycle(self):
        # 8192 x 15 butterflies, four a vector, two cycles each, at 4 GHz.
        self.assertAlmostEqual(limits.transform_limit_us("avx2", 14, "AuthenticAMD", 4.0), 15.36)
        self.assertAlmostEqual(limits.transform_limit_us("avx2", 14, "GenuineIntel", 4.0), 30.72)

    def test_integer_tier_takes_three_cycles_for_eight_butterflies(self):
        for vendor in ("AuthenticAMD", "GenuineIntel"):
            self.assertAlmostEqual(limits.transform_limit_us("avx512ifma", 14, vendor, 4.0), 11.52)

    def test_scaling_takes_rounds_that_count(self):
        side = FakeSide("FFConv", us=30.0)
        found = limits.scaling(sides.Gate(side), side, "avx2")
        self.assertEqual((found["samples"], found["ratio"]), (limits.ROUNDS, 0.1))
        busy = FakeSide("FFConv", us=30.0, waits=5000.0)
        self.assertEqual(limits.scaling(sides.Gate(busy), busy, "avx2")["samples"], 0)


if __name__ == "__main__":
    unittest.main()
