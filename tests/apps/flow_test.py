#!/usr/bin/env python3
"""From a network to a decrypted class, by files alone."""

import json
import stat
import unittest

from app_test import DIGITS, MODELS, AppTest
from tiny_network import TinyNetwork, pgm, random_pixels

NAMES = ["ant", "bee", "cat"]


class Flow(AppTest):
    def prepare(self, model, *options):
        self.ok("compile", model, "-o", "net", "--quiet", *options)
        self.ok("keygen", "net.client", "--quiet")

    def classify(self, image, *options):
        self.ok("encrypt", "net.client", image, "-o", "image.ct", "--quiet")
        self.ok("infer", "net.server", "image.ct", "-o", "scores.ct", "--quiet")
        return self.json("decrypt", "net.client", "scores.ct", *options)

    def test_a_tiny_network_gives_the_scores_of_plain_arithmetic_in_every_packing(self):
        network = TinyNetwork(seed=1)
        self.write("tiny.onnx", network.onnx())
        for packing in ("auto", "dense", "conv", "ffconv", "falcon", "lola", "batch"):
            with self.subTest(packing=packing):
                self.ok("compile", "tiny.onnx", "-o", "net", "--packing", packing, "--quiet")
                self.ok("keygen", "net.client", "--force", "--quiet")
                for seed in (1, 2):
                    pixels = random_pixels(seed)
                    expected = network.scores(pixels)
                    shared = self.classify(self.write("image.pgm", pgm(pixels)))
                    self.assertEqual(shared["class"], NAMES[expected.index(max(expected))])
                    for got, wanted in zip(shared["scores"], expected):
                        self.assertLess(abs(got - wanted), 8 * shared["step"])
                        self.assertEqual(got % shared["step"], 0)

    def test_a_batch_gets_the_classes_of_its_images_in_one_inference(self):
        network = TinyNetwork(seed=2)
        self.prepare(self.write("tiny.onnx", network.onnx()), "--packing", "batch")
        images = [random_pixels(seed) for seed in range(1, 8)]
        files = [self.write(f"{k}.pgm", pgm(pixels)) for k, pixels in enumerate(images)]
        self.ok("encrypt", "net.client", *files, "-o", "images.ct", "--quiet")
        self.ok("infer", "net.server", "images.ct", "-o", "scores.ct", "--quiet")
        shared = self.json("decrypt", "net.client", "scores.ct", "--images", len(images))["images"]
        only = self.json("decrypt", "net.client", "scores.ct", "--images", len(images), "--class-only")["images"]
        self.assertEqual([entry["class"] for entry in only], [entry["class"] for entry in shared])
        for pixels, got in zip(images, shared):
            expected = network.scores(pixels)
            self.assertEqual(got["class"], NAMES[expected.index(max(expected))])
            for score, wanted in zip(got["scores"], expected):
                self.assertLess(abs(score - wanted), 8 * got["step"])
        self.assertEqual(len(shared), len(images))

    def test_several_images_are_evaluated_together_into_a_folder(self):
        network = TinyNetwork(seed=4)
        self.prepare(self.write("tiny.onnx", network.onnx()))
        names = [f"{k}.ct" for k in range(5)]
        for seed, name in enumerate(names):
            image = self.write("image.pgm", pgm(random_pixels(seed)))
            self.ok("encrypt", "net.client", image, "-o", name, "--quiet")
        report = self.json("infer", "net.server", *names, "-o", "scores", "--together", 3)
        self.assertEqual((report["output"], report["images"]), ("scores", 5))
        for seed, name in enumerate(names):
            self.ok("infer", "net.server", name, "-o", "alone.ct", "--quiet")
            self.assertEqual(self.read(f"scores/{name}"), self.read("alone.ct"))
            expected = network.scores(random_pixels(seed))
            got = self.json("decrypt", "net.client", f"scores/{name}", "--class-only")
            self.assertEqual(got["class"], NAMES[expected.index(max(expected))])

    def test_sample_digits_get_their_class(self):
        images = json.loads((DIGITS / "labels.json").read_text())["images"]
        labels = {image["file"]: image["label"] for image in images}
        self.prepare(MODELS / "mnist-lola-small.onnx")
        for file in ("7_00000.png", "2_00001.png"):
            self.assertEqual(self.classify(DIGITS / file, "--class-only")["class"], str(labels[file]))

    def test_decryption_gives_exact_scores_only_when_asked_to_and_warns(self):
        network = TinyNetwork(seed=3)
        self.prepare(self.write("tiny.onnx", network.onnx()))
        pixels = random_pixels(3)
        expected = network.scores(pixels)
        only = self.classify(self.write("image.pgm", pgm(pixels)), "--class-only")
        self.assertEqual(only, {"class": NAMES[expected.index(max(expected))],
                                "class_index": expected.index(max(expected))})
        raw = self.run_app("decrypt", "net.client", "scores.ct", "--raw", "--json")
        self.assertEqual(raw.returncode, 0)
        self.assertIn("never share", raw.stderr)
        exact = json.loads(raw.stdout)
        self.assertEqual(exact["step"], 0)
        bound = 6 * self.json("plan", "net.server")["score_error_std"]
        for got, wanted in zip(exact["scores"], expected):
            self.assertLess(abs(got - wanted), bound)
        coarse = self.json("decrypt", "net.client", "scores.ct", "--flood-bits", 8)
        fine = self.json("decrypt", "net.client", "scores.ct", "--flood-bits", 2)
        self.assertEqual(coarse["step"], 64 * fine["step"])

    def test_the_secret_key_is_for_its_owner_only_and_is_not_overwritten(self):
        self.prepare(self.write("tiny.onnx", TinyNetwork().onnx()))
        self.assertEqual(stat.S_IMODE((self.dir / "secret.key").stat().st_mode), 0o600)
        old = self.snapshot()
        self.refused("keygen", "net.client", says=["secret.key", "exists already", "--force"])
        self.refused("keygen", "net.client", "--secret", "other.key", says=["eval.keys", "--force"])
        self.ok("keygen", "net.client", "--force", "--quiet")
        new = self.snapshot()
        self.assertEqual(old.keys(), new.keys())
        self.assertEqual({name for name in old if old[name] != new[name]}, {"secret.key", "eval.keys"})
        self.assertEqual(stat.S_IMODE((self.dir / "secret.key").stat().st_mode), 0o600)

    def test_quiet_commands_print_nothing_and_the_others_say_what_they_wrote(self):
        self.write("tiny.onnx", TinyNetwork().onnx())
        self.write("image.pgm", pgm(random_pixels(1)))
        for command, output in (
                (("compile", "tiny.onnx", "-o", "net"), "net.server"),
                (("keygen", "net.client", "--force"), "secret.key"),
                (("encrypt", "net.client", "image.pgm", "-o", "image.ct"), "image.ct"),
                (("infer", "net.server", "image.ct", "-o", "scores.ct"), "scores.ct")):
            self.assertIn(output, self.ok(*command))
            self.assertEqual(self.ok(*command, "--quiet"), "")

    def test_what_infer_reports_is_what_plan_predicted(self):
        self.prepare(self.write("tiny.onnx", TinyNetwork().onnx()))
        self.write("image.pgm", pgm(random_pixels(1)))
        self.ok("encrypt", "net.client", "image.pgm", "-o", "image.ct", "--quiet")
        plan = self.json("plan", "net.server")
        report = self.json("infer", "net.server", "image.ct", "-o", "scores.ct", "--threads", 1)
        self.assertEqual(report["threads"], 1)
        for key in ("rotations", "hoisted_rotations", "plain_products", "scalar_products",
                    "ciphertext_products", "rescales"):
            self.assertEqual(report[key], plan["totals"][key], key)

    def test_calibration_images_need_no_labels(self):
        network = TinyNetwork(seed=5)
        self.write("bare.onnx", network.onnx(ranges=False))
        (self.dir / "images").mkdir()
        for seed in range(20):
            self.write(f"images/{seed}.pgm", pgm(random_pixels(seed)))
        self.prepare("bare.onnx", "--calibration", "images")
        pixels = random_pixels(7)
        expected = network.scores(pixels)
        got = self.classify(self.write("image.pgm", pgm(pixels)))
        self.assertEqual(got["class"], NAMES[expected.index(max(expected))])


if __name__ == "__main__":
    unittest.main()
