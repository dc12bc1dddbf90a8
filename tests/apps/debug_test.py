#!/usr/bin/env python3
"""`debug`: the same image in floating point, with simulated noise and encrypted."""

import math
import unittest

from app_test import AppTest
from tiny_network import TinyNetwork, pgm, random_pixels


class Debug(AppTest):
    def setUp(self):
        super().setUp()
        self.network = TinyNetwork(seed=15)
        self.write("tiny.onnx", self.network.onnx())
        self.pixels = random_pixels(100)
        self.write("image.pgm", pgm(self.pixels))

    def test_layers_are_compared_and_the_weakest_is_named(self):
        result = self.json("debug", "tiny.onnx", "image.pgm", "--worst", 4)
        layers = result["layers"]
        self.assertEqual([layer["name"] for layer in layers], ["conv_node", "square 1", "scores_node"])
        for before, layer in zip([None, *layers], layers):
            self.assertEqual(len(layer["worst"]), 4)
            errors = [abs(slot["encrypted"] - slot["float"]) for slot in layer["worst"]]
            self.assertEqual(errors, sorted(errors, reverse=True))
            self.assertGreater(layer["encrypted_error_rms"], 0)
            if before:
                self.assertAlmostEqual(layer["lost_bits"], before["precision_bits"] - layer["precision_bits"])
        # Simulation and encryption are two samples of one distribution: of thousands of errors before the scores,
        # whose own, folded from all slots, are three only.
        for layer in layers[:-1]:
            self.assertLess(abs(math.log2(layer["simulated_error_rms"] / layer["encrypted_error_rms"])), 0.6, layer)
        std = self.json("plan", "tiny.onnx")["score_error_std"]
        for kind in ("simulated", "encrypted"):
            self.assertLess(layers[-1][f"{kind}_error_rms"], 6 * std)
        self.assertEqual(result["weakest_layer"], max(layers, key=lambda layer: layer["lost_bits"])["name"])
        scores = self.network.scores(self.pixels)
        for slot in layers[-1]["worst"]:
            self.assertLess(min(abs(slot["float"] - score) for score in [*scores, 0]), 1e-6 * max(map(abs, scores)))

    def test_the_text_names_the_layer_and_wrong_images_are_refused(self):
        text = self.ok("debug", "tiny.onnx", "image.pgm")
        self.assertIn("most precision is lost in ", text)
        self.refused("debug", "tiny.onnx", "nothing.png", says=["nothing.png"])


if __name__ == "__main__":
    unittest.main()
