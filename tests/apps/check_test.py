#!/usr/bin/env python3
"""What `check` says of networks that can be encrypted and of those that cannot."""

import unittest

from app_test import MODELS, AppTest
from tiny_network import CLASSES, KERNEL, MAPS, OUT, SIZE, TinyNetwork, model_bytes, node, tensor, value_info

REPORT = {"model": str, "encryptable": bool, "input": list, "classes": int, "depth": int,
          "multiply_accumulates": int, "hma": int, "layers": list}
LAYER = {"name": str, "kind": str, "multiply_accumulates": int, "hma": int}


def residual():
    """x + x W."""
    nodes = [node("MatMul", ["image", "w"], "product"), node("Add", ["product", "image"], "scores")]
    return model_bytes(nodes, [tensor("w", [2, 2], [1, 2, 3, 4])], [value_info("image", [1, 2])],
                       [value_info("scores", [1, 2])])


def products():
    """(x W) x, and that by (x W), which no chain with sums expresses."""
    nodes = [node("MatMul", ["image", "w"], "product"), node("Mul", ["product", "image"], "both"),
             node("Mul", ["both", "product"], "scores")]
    return model_bytes(nodes, [tensor("w", [2, 2], [1, 2, 3, 4])], [value_info("image", [1, 2])],
                       [value_info("scores", [1, 2])])


class Check(AppTest):
    def test_counts_of_a_network_by_hand(self):
        self.write("tiny.onnx", TinyNetwork().onnx())
        found = self.json("check", "tiny.onnx")
        self.assert_types(found, REPORT)
        for layer in found["layers"]:
            self.assert_types(layer, LAYER)
        self.assertTrue(found["encryptable"])
        self.assertEqual((found["input"], found["classes"]), ([1, SIZE, SIZE], CLASSES))
        self.assertEqual(found["depth"], 3)
        weights, dense = MAPS * KERNEL * KERNEL, CLASSES * MAPS * OUT * OUT
        self.assertEqual([l["hma"] for l in found["layers"]], [weights, 0, dense])
        self.assertEqual([l["multiply_accumulates"] for l in found["layers"]],
                         [weights * OUT * OUT, 0, dense])
        self.assertEqual(found["hma"], weights + dense)
        self.assertEqual(found["multiply_accumulates"], weights * OUT * OUT + dense)

    def test_ranges_are_those_of_the_metadata_or_missing(self):
        network = TinyNetwork()
        self.write("tiny.onnx", network.onnx())
        found = self.json("check", "tiny.onnx")
        bounds = network.bounds()
        self.assertEqual(found["input_max_abs"], bounds["input"])
        self.assertAlmostEqual(found["layers"][0]["max_abs"], bounds["conv"])
        self.write("bare.onnx", network.onnx(ranges=False))
        self.assertIsNone(self.json("check", "bare.onnx")["input_max_abs"])
        self.assertIn("--calibration", self.ok("check", "bare.onnx"))

    def test_the_text_shows_every_layer(self):
        text = self.ok("check", MODELS / "mnist-lola.onnx")
        self.assertIn("can be encrypted", text)
        for name in ("conv1", "square 1", "fc1", "square 3", "fc2"):
            self.assertIn(name, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)

    def test_everything_in_the_way_is_listed_with_its_cure(self):
        self.write("relu.onnx", TinyNetwork().onnx(activation="relu"))
        done = self.run_app("check", "relu.onnx")
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        for part in ("2 parts", "'Relu'", "x*x", "'MaxPool'", "average pooling", "training/"):
            self.assertIn(part, done.stdout)
        done = self.run_app("check", "relu.onnx", "--json")
        self.assertEqual(done.returncode, 1)
        self.assertIn('"encryptable": false', done.stdout)

    def test_residual_connections_stand_under_the_layer_where_they_end(self):
        self.write("residual.onnx", residual())
        self.assertRegex(self.ok("check", "residual.onnx"),
                         r"product_node +dense +2 +4 +4\n\+ scores_node_shortcut +scale of the image")
        found = self.json("check", "residual.onnx")
        self.assertEqual([(s["from_tensor"], s["to_layer"]) for s in found["shortcuts"]], [(0, 0)])
        self.assertEqual(found["multiply_accumulates"], 4 + 2)

    def test_products_of_tensors_are_listed_node_by_node(self):
        self.write("products.onnx", products())
        done = self.run_app("check", "products.onnx")
        self.assertEqual(done.returncode, 1)
        for part in ("2 parts", "'both_node'", "'scores_node'", "multiplies two different tensors"):
            self.assertIn(part, done.stdout)

    def test_pictures_are_written_or_printed(self):
        self.write("tiny.onnx", TinyNetwork().onnx())
        printed = self.ok("check", "tiny.onnx", "--dot", "-")
        self.assertTrue(printed.startswith("digraph "))
        for part in ("Conv 3x3 stride 2x2", "Gemm", f"{MAPS}x{OUT}x{OUT}", "scores"):
            self.assertIn(part, printed)
        self.assertIn("can be encrypted", self.ok("check", "tiny.onnx", "--dot", "tiny.dot"))
        self.assertEqual((self.dir / "tiny.dot").read_text(encoding="utf-8"), printed)
        # Also of a graph that is no chain.
        self.write("products.onnx", products())
        done = self.run_app("check", "products.onnx", "--dot", "-")
        self.assertEqual(done.returncode, 1)
        self.assertIn("MatMul", done.stdout)

    def test_files_that_are_no_networks_are_errors(self):
        self.write("noise.onnx", b"\xff" * 9)
        self.refused("check", "noise.onnx", says=["noise.onnx", "not an ONNX model"])
        self.refused("check", "missing.onnx", says=["missing.onnx", "no such file"])
        self.write("relu.onnx", TinyNetwork().onnx(activation="relu"))
        self.refused("check", "relu.onnx", "--dot", "x.dot", says=["'Relu'", "no picture"])
        self.write("tiny.onnx", TinyNetwork().onnx())
        self.refused("check", "tiny.onnx", "--dot", "no/such/folder.dot", says=["no/such"])


if __name__ == "__main__":
    unittest.main()
