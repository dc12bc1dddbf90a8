#!/usr/bin/env python3
"""Rows of `bench`: measured once, kept, and shown as Markdown."""

import json
import unittest

from app_test import AppTest
from tiny_network import TinyNetwork, pgm, random_pixels

IMAGES = 3


class Bench(AppTest):
    def setUp(self):
        super().setUp()
        self.write("tiny.onnx", TinyNetwork(seed=15).onnx())
        (self.dir / "data").mkdir()
        entries = []
        for i in range(IMAGES):
            self.write(f"data/{i}.pgm", pgm(random_pixels(100 + i)))
            entries.append({"file": f"{i}.pgm", "label": 0})
        self.write("data/labels.json", json.dumps({"classes": ["a", "b", "c"], "images": entries}).encode())

    def bench(self, *arguments):
        return self.json("bench", "tiny.onnx", "--data", "data", "--images", IMAGES, "--packings", "dense,batch",
                         *arguments)

    def test_rows_hold_what_was_planned_and_measured(self):
        rows = self.bench()["rows"]
        self.assertEqual([row["asked"] for row in rows], ["dense", "batch"])
        for row in rows:
            self.assertEqual(row["network"], "tiny")
            plan, deployed = row["plan"], row["deployed"]
            for key in ("key_bytes", "upload_bytes", "download_bytes"):
                self.assertEqual(plan[key], deployed[key])
            self.assertGreater(deployed["peak_bytes"], 0)
            self.assertEqual([run["threads"] for run in row["runs"]], [1, 2])
            for run in row["runs"]:
                self.assertEqual((run["images"], run["agree"]), (IMAGES, IMAGES))
                self.assertGreater(run["min_ms"], 0)
        table = (self.dir / "results" / "results.md").read_text()
        self.assertEqual(table, self.ok("bench", "tiny.onnx", "--data", "data", "--packings", "dense,batch"))
        self.assertIn("| tiny | dense |", table)
        self.assertIn(f"{2 * IMAGES} of {2 * IMAGES} encrypted images", table)

    def test_packing_auto_has_a_row_for_every_bandwidth(self):
        rows = self.json("bench", "tiny.onnx", "--data", "data", "--images", 1, "--packings", "auto,dense",
                         "--bandwidth", "inf,0.001", "--thread-counts", 1)["rows"]
        self.assertEqual([row["asked"] for row in rows], ["auto", "auto, 0.001 Mbit/s", "dense"])
        self.assertLessEqual(rows[0]["plan"]["predicted_ms"], rows[1]["plan"]["predicted_ms"])
        self.assertLessEqual(rows[1]["plan"]["upload_bytes"], rows[0]["plan"]["upload_bytes"])

    def test_rows_that_are_there_are_not_measured_again(self):
        first = self.bench()
        self.assertEqual(self.bench(), first)
        self.assertNotEqual(self.bench("--force")["rows"][0]["runs"], first["rows"][0]["runs"])

    def test_what_takes_too_long_is_planned_and_what_does_not_fit_is_named(self):
        rows = self.bench("--max-ms", 0)["rows"]
        self.assertTrue(all("plan" in row and "runs" not in row for row in rows))
        self.write("deep.onnx", TinyNetwork().onnx(ranges=False))
        row = self.json("bench", "deep.onnx", "--data", "data", "--packings", "dense")["rows"][-1]
        self.assertIn("--calibration", row["refused"])
        self.assertIn("--calibration", (self.dir / "results" / "results.md").read_text())

    def test_other_results_are_left_alone(self):
        (self.dir / "results").mkdir()
        self.write("results/results.json", b"[]")
        self.refused("bench", "tiny.onnx", "--data", "data", says=["results.json", "--force"])
        self.write("results/results.json", b'{"machine": "another", "rows": []}')
        self.refused("bench", "tiny.onnx", "--data", "data", says=["another", "-o"])


if __name__ == "__main__":
    unittest.main()
