#!/usr/bin/env python3
"""What `plan` and `compile` announce."""

import unittest

from app_test import MODELS, AppTest
from tiny_network import TinyNetwork, pgm, random_pixels

COUNTS = {"rotations": int, "hoisted_rotations": int, "plain_products": int, "scalar_products": int,
          "ciphertext_products": int, "rescales": int}
PLAN = {"log_n": int, "log_qp": float, "security_bits": int, "levels": int, "totals": COUNTS,
        "predicted_ms": float, "images_at_once": int, "key_bytes": int, "upload_bytes": int, "download_bytes": int,
        "layers": list, "alternatives": list, "memory_bytes": {"total": int}}
LAYER = COUNTS | {"name": str, "level": int, "predicted_ms": float}


class Plan(AppTest):
    def test_json_has_its_keys_and_types_its_layers_add_up_and_auto_rotates_little(self):
        plan = self.json("plan", MODELS / "mnist-lola.onnx")
        # The same network in LoLa's packing takes 283 rotations, of which none is hoisted.
        self.assertLess(plan["totals"]["rotations"] + plan["totals"]["hoisted_rotations"], 283 / 4)
        self.assert_types(plan, PLAN)
        for layer in plan["layers"]:
            self.assert_types(layer, LAYER)
        self.assertEqual([l["name"] for l in plan["layers"]],
                         ["conv1", "square 1", "fc1", "square 3", "fc2"])
        for key in COUNTS:
            self.assertEqual(sum(l[key] for l in plan["layers"]), plan["totals"][key], key)
        self.assertAlmostEqual(sum(l["predicted_ms"] for l in plan["layers"]), plan["predicted_ms"])
        self.assertEqual(plan["security_bits"], 128)
        self.assertLessEqual(plan["log_qp"], plan["log_qp_limit"])
        fastest = min(a["predicted_ms"] + a["upload_ms"] for a in plan["alternatives"])
        self.assertIn(fastest, [a["predicted_ms"] + a["upload_ms"] for a in plan["alternatives"]
                                if a["predicted_ms"] == plan["predicted_ms"]])

    def test_lola_has_the_published_operations(self):
        lola = self.json("plan", MODELS / "mnist-lola.onnx", "--packing", "lola")
        self.assertEqual(lola["totals"]["rotations"], 283)
        self.assertEqual(lola["totals"]["hoisted_rotations"], 0)
        self.assertEqual(lola["totals"]["ciphertext_products"], 2)
        self.assertEqual({l["packing"] for l in lola["layers"]}, {"lola"})

    def test_announced_bytes_are_those_of_the_files(self):
        self.write("tiny.onnx", TinyNetwork().onnx())
        self.write("image.pgm", pgm(random_pixels(1)))
        for packing in ("auto", "dense", "conv", "ffconv", "falcon", "lola", "batch"):
            with self.subTest(packing=packing):
                compiled = self.json("compile", "tiny.onnx", "-o", "net", "--packing", packing)
                self.ok("keygen", "net.client", "--force", "--quiet")
                self.ok("encrypt", "net.client", "image.pgm", "-o", "in.ct", "--quiet")
                self.ok("infer", "net.server", "in.ct", "-o", "out.ct", "--quiet")
                sizes = {"key_bytes": self.size("eval.keys"), "upload_bytes": self.size("in.ct"),
                         "download_bytes": self.size("out.ct"),
                         "server_bytes": self.size("net.server"),
                         "client_bytes": self.size("net.client")}
                of_model = self.json("plan", "tiny.onnx", "--packing", packing)
                of_bundle = self.json("plan", "net.server")
                for plan in (compiled, of_model, of_bundle):
                    self.assertEqual({key: plan[key] for key in sizes}, sizes)
                for key in ("totals", "log_n", "log_qp", "levels", "predicted_ms", "memory_bytes"):
                    self.assertEqual(of_bundle[key], of_model[key], key)
                images = 2 ** of_model["log_n"] if packing == "batch" else 1
                self.assertEqual(of_bundle["images_at_once"], images)
                upload = f"for up to {images:,} images" if packing == "batch" else "an image"
                self.assertIn(f" {upload}\n", self.ok("plan", "net.server"))

    def test_text_shows_every_layer_the_security_row_and_what_was_considered(self):
        self.write("tiny.onnx", TinyNetwork().onnx())
        text = self.ok("plan", "tiny.onnx")
        plan = self.json("plan", "tiny.onnx")
        for layer in plan["layers"]:
            self.assertIn(layer["name"], text)
        self.assertIn(f"{plan['key_bytes']:,} bytes", text)
        self.assertIn(f"{plan['upload_bytes']:,} bytes", text)
        self.assertIn(f"{plan['download_bytes']:,} bytes", text)
        self.assertIn(f"128 bits: N = 2^{plan['log_n']}", text)
        for packing in ("dense", "lola"):
            self.assertIn(f"\n{packing}", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)

    def test_options_change_the_plan(self):
        self.write("tiny.onnx", TinyNetwork().onnx())
        default = self.json("plan", "tiny.onnx")
        larger = self.json("plan", "tiny.onnx", "--log-n", default["log_n"] + 1)
        self.assertEqual(larger["log_n"], default["log_n"] + 1)
        self.assertEqual(larger["log_qp_limit"] > default["log_qp_limit"], True)
        precise = self.json("plan", "tiny.onnx", "--precision", 20)
        self.assertGreaterEqual(precise["precision_bits"], 20)
        self.assertLess(precise["score_error_std"], default["score_error_std"])

    def test_a_budget_keeps_weights_small_and_takes_longer(self):
        model = MODELS / "mnist-lola.onnx"
        arguments = ("plan", model, "--threads", 1, "--bandwidth", "inf")
        plan = self.json(*arguments)
        self.assertEqual(plan["small_layers"], [])
        total = plan["memory_bytes"]["total"]
        small = self.json(*arguments, "--memory", total)
        self.assertIn("fc1", small["small_layers"])
        self.assertLess(small["memory_bytes"]["total"], total)
        self.assertGreater(small["predicted_ms"], plan["predicted_ms"])
        self.assertEqual(small["totals"], plan["totals"])
        self.assertIn("kept small", self.ok(*arguments, "--memory", total))
        self.assertIn("at least", self.refused("plan", model, "--memory", "1M", says=["memory budget", "got 1 MB"]))

    def test_explain_shows_every_packing_layer_by_layer(self):
        self.write("tiny.onnx", TinyNetwork().onnx())
        plan = self.json("plan", "tiny.onnx", "--explain")
        packings = {p["packing"]: p for p in plan["packings"]}
        self.assertEqual(set(packings), {"dense", "conv", "ffconv", "falcon", "lola", "batch", "auto"})
        names = {layer["name"] for layer in plan["layers"]}
        for packing in packings.values():
            self.assertEqual(set(packing["layer_ms"]), names, packing)
            self.assertAlmostEqual(sum(packing["layer_ms"].values()), packing["predicted_ms"])
        self.assertEqual(packings["auto"]["predicted_ms"], plan["predicted_ms"])
        costs = {name: p["predicted_ms"] + p["upload_ms"] for name, p in packings.items()}
        self.assertLessEqual(costs["auto"], 1.05 * min(costs.values()))
        self.assertIn("falcon", self.ok("plan", "tiny.onnx", "--explain"))
        self.ok("compile", "tiny.onnx", "-o", "net", "--quiet")
        self.refused("plan", "net.server", "--explain", says=["net.server", "--explain"])


if __name__ == "__main__":
    unittest.main()
