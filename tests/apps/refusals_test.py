#!/usr/bin/env python3
"""What is refused: each time a line that names both sides, a failing exit code and no output."""

import hashlib
import unittest

from app_test import AppTest
from tiny_network import SIZE, TinyNetwork, pgm, random_pixels

# docs/wire-format.md: magic, kind, version, two fingerprints; the payload's length; the payload; the
# checksum.
LENGTH_AT, HEADER, CHECKSUM = 76, 84, 32


def with_payload(file, payload):
    """The file with another payload and the checksum that belongs to it."""
    body = file[:LENGTH_AT] + len(payload).to_bytes(8, "little") + payload
    return body + hashlib.blake2b(body, digest_size=CHECKSUM).digest()


class Refusals(AppTest):
    def setUp(self):
        super().setUp()
        self.write("tiny.onnx", TinyNetwork(seed=1).onnx())
        self.write("image.pgm", pgm(random_pixels(1)))

    def prepare(self):
        """The files of a whole run: made once, then copied."""
        if Refusals.prepared is None:
            self.ok("compile", "tiny.onnx", "-o", "net", "--quiet")
            self.ok("keygen", "net.client", "--quiet")
            self.ok("encrypt", "net.client", "image.pgm", "-o", "image.ct", "--quiet")
            self.ok("infer", "net.server", "image.ct", "-o", "scores.ct", "--quiet")
            Refusals.prepared = self.snapshot()
        for name, content in Refusals.prepared.items():
            self.write(name, content)
        (self.dir / "secret.key").chmod(0o600)

    prepared = None
    encrypt = ("encrypt", "net.client", "image.pgm", "-o", "new.ct")
    infer = ("infer", "net.server", "image.ct", "-o", "new.ct")
    decrypt = ("decrypt", "net.client", "scores.ct")

    def test_images_of_another_size_or_format(self):
        self.prepare()
        self.write("wide.pgm", pgm(random_pixels(1), width=2 * SIZE))
        self.write("colour.ppm", b"P6 8 8 255\n" + bytes(3 * SIZE * SIZE))
        self.write("text.png", b"no image at all")
        self.write("cut.pgm", pgm(random_pixels(1))[:-1])
        for image, says in (("wide.pgm", ["wide.pgm", "1x8x8", "1x4x16"]),
                            ("colour.ppm", ["colour.ppm", "1x8x8", "3x8x8"]),
                            ("text.png", ["text.png"]), ("cut.pgm", ["cut.pgm"]),
                            ("missing.png", ["missing.png"]), ("mnist:x", ["mnist:17"])):
            self.refused("encrypt", "net.client", image, "-o", "new.ct", says=says)

    def test_keys_and_ciphertexts_of_another_bundle(self):
        self.prepare()
        self.write("other.onnx", TinyNetwork(seed=9).onnx())
        self.ok("compile", "other.onnx", "-o", "other", "--quiet")
        self.ok("keygen", "other.client", "--secret", "other.key", "--keys", "other.keys", "--quiet")
        self.ok("encrypt", "other.client", "image.pgm", "--secret", "other.key", "-o", "other.ct",
                "--quiet")
        self.refused(*self.infer, "--keys", "other.keys", says=["other.keys", "made for", "expected"])
        self.refused("infer", "net.server", "other.ct", "-o", "new.ct",
                     says=["other.ct", "made for", "expected"])
        self.refused("decrypt", "net.client", "other.ct", says=["other.ct", "made for", "expected"])

    def test_a_secret_key_of_other_parameters(self):
        self.prepare()
        log_n = self.json("plan", "net.server")["log_n"]
        self.ok("compile", "tiny.onnx", "-o", "large", "--log-n", log_n + 1, "--quiet")
        self.ok("keygen", "large.client", "--secret", "large.key", "--keys", "large.keys", "--quiet")
        for command in (self.encrypt, self.decrypt):
            self.refused(*command, "--secret", "large.key", says=["large.key", "made for", "expected"])

    def test_missing_files(self):
        self.prepare()
        self.refused(*self.infer, "--keys", "missing.keys", says=["missing.keys"])
        self.refused(*self.encrypt, "--secret", "missing.key", says=["missing.key"])
        self.refused("infer", "missing.server", "image.ct", "-o", "new.ct", says=["missing.server"])
        self.refused("compile", "missing.onnx", "-o", "new", says=["missing.onnx"])

    def test_a_key_that_was_not_made(self):
        self.prepare()
        no_keys = bytes(4) + bytes(4)  # no relinearization key, no rotation keys
        self.write("empty.keys", with_payload((self.dir / "eval.keys").read_bytes(), no_keys))
        self.refused(*self.infer, "--keys", "empty.keys", says=["key", "level"])

    def test_truncated_and_altered_files(self):
        self.prepare()
        for name, command in (("net.client", self.encrypt), ("net.server", self.infer),
                              ("eval.keys", self.infer), ("image.ct", self.infer),
                              ("scores.ct", self.decrypt), ("secret.key", self.decrypt)):
            content = (self.dir / name).read_bytes()
            altered = bytearray(content)
            altered[len(content) // 2] ^= 1
            for damaged in (content[:-1], content[:HEADER - 1], b"", bytes(altered), content + b"\0"):
                self.write(name, damaged)
                self.refused(*command, says=[name])
            self.write(name, content)

    def test_files_of_another_kind(self):
        self.prepare()
        self.refused("infer", "net.client", "image.ct", "-o", "new.ct",
                     says=["expected a server bundle", "got a client bundle"])
        self.refused("infer", "net.server", "eval.keys", "-o", "new.ct",
                     says=["expected ciphertexts", "got evaluation keys"])
        self.refused(*self.encrypt, "--secret", "tiny.onnx", says=["tiny.onnx"])

    def test_scores_where_an_image_should_be_and_the_reverse(self):
        self.prepare()
        self.refused("infer", "net.server", "scores.ct", "-o", "new.ct", says=["expected", "got"])
        self.refused("decrypt", "net.client", "image.ct", says=["expected", "got"])

    def test_a_secret_key_that_others_can_read(self):
        self.prepare()
        (self.dir / "secret.key").chmod(0o644)
        for command in (self.encrypt, self.decrypt):
            self.refused(*command, says=["secret.key", "0644", "chmod 600"])

    def test_a_network_that_cannot_be_run(self):
        self.write("relu.onnx", TinyNetwork().onnx(activation="relu"))
        for command in (("compile", "relu.onnx", "-o", "new"), ("plan", "relu.onnx"),
                        ("evaluate", "relu.onnx", "--data", "mnist")):
            self.refused(*command, says=["Relu", "rectified_node", "MaxPool", "active_node"])
        self.write("broken.onnx", TinyNetwork().onnx()[:-7])
        self.refused("compile", "broken.onnx", "-o", "new", says=["broken.onnx"])

    def test_a_network_whose_ranges_nobody_knows(self):
        self.write("bare.onnx", TinyNetwork().onnx(ranges=False))
        self.refused("compile", "bare.onnx", "-o", "new",
                     says=["bare.onnx", "--calibration", "ffconv.ranges"])

    def test_calibration_images_of_another_size(self):
        (self.dir / "images").mkdir()
        self.write("images/wide.pgm", pgm(random_pixels(1), width=2 * SIZE))
        self.refused("compile", "tiny.onnx", "-o", "new", "--calibration", "images",
                     says=["1x8x8", "1x4x16"])

    def test_parameters_that_are_too_small(self):
        self.refused("compile", "tiny.onnx", "-o", "new", "--log-n", 10, says=["2^10"])
        self.refused("compile", "tiny.onnx", "-o", "new", "--packing", "dense", "--precision", 60,
                     says=["60", "2^17"])

    def test_places_that_cannot_be_written(self):
        self.prepare()
        self.refused("compile", "tiny.onnx", "-o", "nowhere/new", says=["nowhere/new"])
        self.refused("keygen", "net.client", "--secret", "new.key", "--keys", "nowhere/new.keys",
                     says=["nowhere/new.keys"])
        self.refused("keygen", "net.client", "--secret", "secret.key", "--keys", "nowhere/new.keys",
                     "--force", says=["nowhere/new.keys"])
        self.refused("infer", "net.server", "image.ct", "-o", "nowhere/new.ct",
                     says=["nowhere/new.ct"])

    def test_several_images_of_which_one_is_bad_or_whose_names_clash(self):
        self.prepare()
        self.refused("infer", "net.server", "image.ct", "scores.ct", "-o", "new", says=["scores.ct", "expected"])
        self.refused("infer", "net.server", "image.ct", "./image.ct", "-o", "new", says=["different names"])
        self.write("second.ct", self.read("image.ct"))
        self.refused("infer", "net.server", "image.ct", "second.ct", "-o", "eval.keys", says=["eval.keys", "folder"])

    def test_more_images_than_a_packing_takes(self):
        self.prepare()
        self.refused("encrypt", "net.client", "image.pgm", "image.pgm", "-o", "new.ct",
                     says=["1 to 1 images", "got 2", "batch"])
        self.refused("decrypt", "net.client", "scores.ct", "--images", 2, says=["1 to 1 images", "batch"])

    def test_wrong_command_lines(self):
        self.refused(code=2, says=["subcommand", "--help"])
        self.refused("frobnicate", code=2, says=["frobnicate", "--help"])
        self.refused("compile", code=2, says=["MODEL", "ffconv compile --help"])
        self.refused("compile", "tiny.onnx", "--packing", "other", code=2, says=["other", "lola"])
        self.refused("compile", "tiny.onnx", "--threads", "0", code=2, says=["--threads"])
        self.refused("decrypt", "net.client", "x.ct", "--raw", "--class-only", code=2, says=["--raw"])
        self.refused("decrypt", "net.client", "x.ct", "--flood-bits", "-1", code=2,
                     says=["--flood-bits"])
        self.refused("evaluate", "tiny.onnx", "--data", "mnist", "--clear", "--encrypted", code=2,
                     says=["--encrypted"])
        self.refused("infer", "net.server", "image.ct", code=2, says=["--output"])

    def test_compiling_options_for_a_bundle(self):
        self.prepare()
        self.refused("plan", "net.server", "--packing", "lola", says=["net.server", "--cost"])

    def test_an_instruction_set_that_this_machine_does_not_have(self):
        self.prepare()
        self.refused(*self.infer, says=["mmx", "FFCONV_SIMD", "scalar"], FFCONV_SIMD="mmx")


if __name__ == "__main__":
    unittest.main()
