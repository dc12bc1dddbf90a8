#!/usr/bin/env python3
"""Factorization: what it reports, what it writes, and what it refuses."""

import json
import unittest

from app_test import AppTest
from tiny_network import TinyNetwork, pgm, random_pixels

IMAGES = 40
CONV_HMA = 2 * 9    # 2 maps of 3 x 3
POSITIONS = 9       # of the convolution's output
DENSE_HMA = 3 * 18
LAYER = {"name": str, "full_rank": int, "energy": float, "hma_before": int, "hma_after": int}
REPORT = {"model": str, "method": str, "hma_before": int, "hma_after": int, "multiply_accumulates_before": int,
          "multiply_accumulates_after": int, "layers": list, "output": str}
MEASURED = {"images": int, "score_error": float, "agree": int}


class Factorize(AppTest):
    def setUp(self):
        super().setUp()
        self.network = TinyNetwork(seed=15)
        self.write("tiny.onnx", self.network.onnx())
        for folder in ("labelled", "plain"):
            (self.dir / folder).mkdir()
        entries = []
        for i in range(IMAGES):
            pixels = random_pixels(100 + i)
            scores = self.network.scores(pixels)
            for folder in ("labelled", "plain"):
                self.write(f"{folder}/{i}.pgm", pgm(pixels))
            entries.append({"file": f"{i}.pgm", "label": scores.index(max(scores))})
        self.write("labelled/labels.json",
                   json.dumps({"classes": ["a", "b", "c"], "images": entries}).encode())

    def factorize(self, *options, images="labelled", out="out.onnx"):
        calibration = ("--calibration", images) if images else ()
        return self.json("factorize", "tiny.onnx", "-o", out, *calibration, *options)

    def layer(self, report, name):
        return next(row for row in report["layers"] if row["name"] == name)

    def test_the_report_counts_the_work_before_and_after(self):
        report = self.factorize("--rank", "conv_node=1,scores_node=2")
        self.assert_types(report, REPORT | MEASURED)
        conv, scores = self.layer(report, "conv_node"), self.layer(report, "scores_node")
        for row in (conv, scores):
            self.assert_types(row, LAYER | {"rank": int, "output_error": float})
        self.assertEqual((conv["full_rank"], scores["full_rank"]), (2, 3))
        self.assertEqual((conv["hma_before"], conv["hma_after"]), (CONV_HMA, 9 + 2))
        self.assertEqual((scores["hma_before"], scores["hma_after"]), (DENSE_HMA, 2 * (18 + 3)))
        self.assertEqual(report["hma_before"], CONV_HMA + DENSE_HMA)
        self.assertEqual(report["hma_after"], conv["hma_after"] + scores["hma_after"])
        self.assertEqual(report["multiply_accumulates_before"], CONV_HMA * POSITIONS + DENSE_HMA)
        self.assertEqual(report["multiply_accumulates_after"],
                         conv["hma_after"] * POSITIONS + scores["hma_after"])
        self.assertLess(conv["energy"], 1)

    def test_the_file_runs_and_has_its_own_ranges(self):
        report = self.factorize("--rank", "1/2")
        result = self.json("evaluate", "out.onnx", "--data", "labelled", "--clear")
        self.assertEqual(result["agree"], IMAGES)
        self.assertAlmostEqual(result["accuracy"], report["accuracy_after"])
        layers = [layer["name"] for layer in self.json("plan", "out.onnx", "--packing", "dense")["layers"]]
        for part in ("conv_node_v", "conv_node_u", "scores_node_u"):
            self.assertIn(part, layers)

    def test_labels_give_accuracy_and_none_give_agreement_alone(self):
        labelled = self.factorize("--rank", "conv_node=1")
        self.assertEqual(labelled["accuracy_before"], 1)
        self.assertAlmostEqual(labelled["accuracy_after"], labelled["agree"] / IMAGES)
        plain = self.factorize("--rank", "conv_node=1", images="plain")
        self.assertNotIn("accuracy_before", plain)
        self.assertEqual(plain["images"], IMAGES)

    def test_goals_are_kept(self):
        loss = self.factorize("--max-loss", 10)
        self.assertLessEqual(loss["accuracy_before"] - loss["accuracy_after"], 0.1)
        changed = self.factorize("--max-loss", "10%", images="plain")
        self.assertGreaterEqual(changed["agree"], 0.9 * IMAGES)
        part = self.factorize("--max-hma", "2/3")
        self.assertLessEqual(part["hma_after"], part["hma_before"] * 2 / 3)
        count = self.factorize("--max-hma", 60)
        self.assertLessEqual(count["hma_after"], 60)
        self.assertGreater(count["hma_after"], part["hma_after"])
        slow = self.factorize("--max-latency", 1e6)  # fast enough as it is
        self.assertEqual(slow["hma_after"], slow["hma_before"])
        energy = self.factorize("--energy", "0.9")
        for row in energy["layers"]:
            self.assertGreaterEqual(row["energy"], 0.9)
        self.assertEqual(energy["layers"], self.factorize("--energy", "90%")["layers"])

    def test_layers_stay_whole_where_it_does_not_pay_or_is_not_wanted(self):
        report = self.factorize("--rank", "scores_node=3", "--keep", "conv_node")
        self.assertEqual([row["name"] for row in report["layers"]], ["scores_node"])
        self.assertIsNone(report["layers"][0]["rank"])
        self.assertEqual(report["hma_after"], report["hma_before"])
        text = self.ok("factorize", "tiny.onnx", "--rank", "scores_node=3", "--calibration", "plain",
                       "-o", "out.onnx")
        self.assertIn("scores_node stays whole: at rank 3 it would take 63 HMA, as it is 54", text)
        self.assertIn("wrote out.onnx", text)

    def test_singular_values_need_no_images_but_leave_no_ranges(self):
        report = self.factorize("--rank", "1/2", "--method", "svd", images=None)
        self.assertIsNone(report["layers"][0]["output_error"])
        self.assertIn("--calibration", self.ok("factorize", "tiny.onnx", "--rank", "1/2", "--method",
                                               "svd", "-o", "out.onnx"))
        self.refused("plan", "out.onnx", says=["ffconv.ranges", "--calibration"])
        self.ok("plan", "out.onnx", "--calibration", "plain")

    def test_components_of_outputs_lose_less_than_singular_values(self):
        by_outputs = self.factorize("--rank", "conv_node=1")
        by_weights = self.factorize("--rank", "conv_node=1", "--method", "svd")
        self.assertLess(self.layer(by_outputs, "conv_node")["output_error"],
                        self.layer(by_weights, "conv_node")["output_error"])

    def test_threads_and_half_precision(self):
        self.factorize("--max-hma", "2/3", out="two.onnx")
        self.factorize("--max-hma", "2/3", "--threads", 1, out="one.onnx")
        self.assertEqual((self.dir / "one.onnx").read_bytes(), (self.dir / "two.onnx").read_bytes())
        self.factorize("--max-hma", "2/3", "--half-precision", out="half.onnx")
        self.assertEqual(self.json("evaluate", "half.onnx", "--data", "labelled")["images"], IMAGES)

    def test_mistakes_are_named_and_leave_nothing(self):
        def refused(*options, says, code=1):
            self.refused("factorize", "tiny.onnx", "-o", "out.onnx", *options, says=says, code=code)
        images = ("--calibration", "plain")
        refused(*images, says=["--rank"], code=2)
        refused(*images, "--rank", "1/2", "--energy", "0.9", says=["Exactly 1"], code=2)
        refused(*images, "--rank", "fc9=2", says=["fc9", "conv_node, scores_node"])
        refused(*images, "--rank", "conv_node=3", says=["conv_node: expected 1 to 2", "3"])
        refused(*images, "--rank", "2", says=["LAYER=RANK"])
        refused(*images, "--energy", "99", says=["--energy", "99"])
        refused(*images, "--energy", "much", says=["'much'"])
        refused(*images, "--max-hma", "30", says=["rank 1", "32"])
        refused(*images, "--rank", "1/2", "--keep", "conv_node,scores_node", says=["nothing to factorize"])
        refused("--rank", "1/2", says=["--method pca", "--calibration"])
        refused("--method", "svd", "--max-loss", "1", says=["--max-loss", "--calibration"])
        refused(*images, "--max-latency", "0.001", says=["--max-latency", "least predicted"])
        refused("--method", "svd", "--max-latency", "1", says=["--max-latency", "--calibration"])
        refused("--rank", "1/2", "--calibration", "nowhere", says=["nowhere"])
        self.refused("factorize", "tiny.onnx", *images, "--rank", "1/2", "-o", "none/out.onnx",
                     says=["none/out.onnx", "no directory"])
        self.refused("factorize", "gone.onnx", *images, "--rank", "1/2", "-o", "out.onnx", says=["gone.onnx"])


if __name__ == "__main__":
    unittest.main()
