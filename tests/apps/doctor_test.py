#!/usr/bin/env python3
"""The machine's own costs, and what compiling makes of them."""

import json
import unittest

from app_test import AppTest
from tiny_network import TinyNetwork

KERNELS = {"ntt_forward_us", "ntt_inverse_us", "multiply_accumulate_us", "plain_product_us", "base_extend_us",
           "automorphism_us", "add_us", "multiply_us"}
DOCTOR = {"version": str, "cpu": str, "cores": int, "tiers": list, "memory_bytes": int,
          "read_gb_per_s": {"one_thread": float, "all_cores": float}, "memory_locking": bool,
          "costs": {k: float for k in KERNELS} | {"machine": str}, "libraries": {"sodium": str}}


class Doctor(AppTest):
    def table(self, us):
        return json.dumps({"machine": "slow"} | {k: us for k in KERNELS}).encode()

    def test_json_has_its_keys_and_types_and_the_file_holds_the_costs(self):
        found = self.json("doctor", "-o", "cost.json")
        self.assert_types(found, DOCTOR)
        self.assertEqual(found["costs"], json.loads((self.dir / "cost.json").read_text()))
        for kernel in KERNELS:
            self.assertGreater(found["costs"][kernel], 0)
        self.assertEqual(sum(tier["chosen"] for tier in found["tiers"]), 1)
        for tier in found["tiers"]:
            self.assertTrue(tier["available"] or not tier["chosen"])
        self.assertTrue(found["tiers"][-1]["available"] and found["tiers"][-1]["name"] == "scalar")
        self.write("tiny.onnx", TinyNetwork().onnx())
        plan = self.json("plan", "tiny.onnx", "--cost", "cost.json")
        self.assertEqual(plan["cost_table"], found["costs"]["machine"])

    def test_predicted_time_follows_the_costs(self):
        self.write("tiny.onnx", TinyNetwork().onnx())
        self.ok("compile", "tiny.onnx", "-o", "net", "--quiet")
        self.write("one.json", self.table(1.0))
        self.write("ten.json", self.table(10.0))
        one, ten = (self.json("plan", "net.server", "--cost", f"{n}.json")["predicted_ms"]
                    for n in ("one", "ten"))
        self.assertAlmostEqual(ten, 10 * one)

    def test_a_table_that_is_none_is_refused(self):
        self.write("tiny.onnx", TinyNetwork().onnx())
        good = json.loads(self.table(1.0))
        incomplete = {k: v for k, v in good.items() if k != "add_us"}
        for content in (b"", b"[]", b"{", json.dumps(incomplete).encode(),
                        json.dumps(good | {"more": 1}).encode(), self.table(0.0),
                        self.table(-1.0), json.dumps(good | {"add_us": "2"}).encode()):
            self.write("bad.json", content)
            self.refused("compile", "tiny.onnx", "-o", "net", "--cost", "bad.json", says=["bad.json"])


if __name__ == "__main__":
    unittest.main()
