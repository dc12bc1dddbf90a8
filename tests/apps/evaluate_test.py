#!/usr/bin/env python3
"""Accuracy in floating point, in the clear and encrypted."""

import json
import unittest

from app_test import DIGITS, MODELS, AppTest
from tiny_network import TinyNetwork, pgm, random_pixels

IMAGES = 6
FLOAT = {"images": int, "correct": int, "accuracy": float}
BESIDE_FLOAT = FLOAT | {"agree": int, "max_score_error": float, "differences": list}
ENCRYPTED = BESIDE_FLOAT | {"median_ms": float, "min_ms": float, "peak_bytes": int, "threads": int}


class Evaluate(AppTest):
    def setUp(self):
        super().setUp()
        self.network = TinyNetwork(seed=15)
        self.write("tiny.onnx", self.network.onnx())

    def write_images(self, wrong=()):
        """Labels are the classes that plain arithmetic gives, but for the images in `wrong`."""
        (self.dir / "data").mkdir()
        entries = []
        for i in range(IMAGES):
            pixels = random_pixels(100 + i)
            scores = self.network.scores(pixels)
            label = scores.index(max(scores))
            self.write(f"data/{i}.pgm", pgm(pixels))
            entries.append({"file": f"{i}.pgm", "label": (label + 1) % 3 if i in wrong else label})
        self.write("data/labels.json", json.dumps({"classes": ["a", "b", "c"], "images": entries}).encode())

    def test_float_accuracy_counts_the_right_labels(self):
        self.write_images(wrong=(1, 4))
        result = self.json("evaluate", "tiny.onnx", "--data", "data")
        self.assert_types(result, FLOAT)
        self.assertEqual((result["images"], result["correct"]), (IMAGES, IMAGES - 2))
        self.assertAlmostEqual(result["accuracy"], (IMAGES - 2) / IMAGES)
        first = self.json("evaluate", "tiny.onnx", "--data", "data", "--images", 2)
        self.assertEqual((first["images"], first["correct"]), (2, 1))

    def test_clear_agrees_with_float_exactly_and_with_noise_nearly(self):
        self.write_images()
        exact = self.json("evaluate", "tiny.onnx", "--data", "data", "--clear")
        self.assert_types(exact, BESIDE_FLOAT)
        self.assertEqual((exact["agree"], exact["correct"]), (IMAGES, IMAGES))
        self.assertLess(exact["max_score_error"], 1e-9)
        noisy = self.json("evaluate", "tiny.onnx", "--data", "data", "--clear", "--noise")
        self.assertGreater(noisy["max_score_error"], exact["max_score_error"])
        self.assertEqual(noisy, self.json("evaluate", "tiny.onnx", "--data", "data", "--clear",
                                          "--noise", "--threads", 1))

    def test_a_bundle_and_a_budget_give_the_same_predictions(self):
        self.write_images()
        self.ok("compile", "tiny.onnx", "-o", "net", "--quiet")
        for more in (["--bundle", "net.server"], ["--memory", "1G"]):
            result = self.json("evaluate", "tiny.onnx", "--data", "data", "--encrypted", *more)
            self.assertEqual((result["images"], result["agree"]), (IMAGES, IMAGES))
        self.refused("evaluate", "tiny.onnx", "--data", "data", "--encrypted", "--bundle", "net.server", "--margin", 2,
                     says=["net.server", "--cost"])
        self.refused("evaluate", MODELS / "mnist-lola.onnx", "--data", DIGITS, "--encrypted", "--bundle", "net.server",
                     says=["net.server", "input"])

    def test_encrypted_agrees_with_float_within_the_predicted_error(self):
        self.write_images()
        result = self.json("evaluate", "tiny.onnx", "--data", "data", "--encrypted")
        self.assert_types(result, ENCRYPTED)
        self.assertEqual((result["images"], result["agree"], result["correct"]), (IMAGES,) * 3)
        self.assertEqual(result["differences"], [])
        std = self.json("plan", "tiny.onnx")["score_error_std"]
        self.assertLess(0, result["max_score_error"])
        self.assertLess(result["max_score_error"], 6 * std)
        self.assertLessEqual(result["min_ms"], result["median_ms"])

    def test_predictions_that_differ_are_listed(self):
        # At so little precision noise decides between scores that are close.
        self.write_images()
        scores = [self.network.scores(random_pixels(100 + i)) for i in range(IMAGES)]
        options = ("evaluate", "tiny.onnx", "--data", "data", "--clear", "--noise",
                   "--packing", "lola", "--precision", 1)
        result = self.json(*options)
        self.assertGreater(len(result["differences"]), 0)
        self.assertEqual(len(result["differences"]), IMAGES - result["agree"])
        for difference in result["differences"]:
            own = scores[difference["image"]]
            classes = ["ant", "bee", "cat"]
            expected, got = (classes.index(difference[k]) for k in ("float_class", "class"))
            self.assertEqual(expected, own.index(max(own)))
            self.assertNotEqual(expected, got)
            self.assertAlmostEqual(difference["margin"], own[expected] - own[got], places=6)
            self.assertIn(f"\n{difference['image']} ", self.ok(*options))

    def test_sample_digits_are_classified_as_the_models_card_says(self):
        result = self.json("evaluate", MODELS / "mnist-lola.onnx", "--data", DIGITS)
        self.assertEqual((result["images"], result["correct"]), (50, 50))

    def test_images_that_do_not_fit_the_network_are_refused(self):
        self.refused("evaluate", "tiny.onnx", "--data", DIGITS, says=["1x8x8", "1x28x28"])
        self.refused("evaluate", "tiny.onnx", "--data", "nowhere", says=["nowhere/labels.json"])
        self.write_images()
        self.refused("evaluate", "tiny.onnx", "--data", "data", "--noise", code=2, says=["--clear"])


if __name__ == "__main__":
    unittest.main()
