"""The ChaCha20 of make_chacha20_vectors.py against RFC 8439, and the stored vectors against both."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import make_chacha20_vectors as chacha20  # noqa: E402


class ChaCha20Test(unittest.TestCase):
    def test_the_cipher_reproduces_the_vectors_of_the_rfc(self):
        for key, stream, offset, expected, number in chacha20.RFC_8439:
            with self.subTest(vector=number):
                self.assertEqual(chacha20.key_stream(key, stream, offset, 64).hex(), expected)

    def test_the_block_function_gives_the_example_of_section_2_3_2(self):
        nonce = bytes.fromhex("000000090000004a00000000")
        expected = (
            "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
            "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"
        )
        self.assertEqual(chacha20.block(bytes(range(32)), 1, nonce).hex(), expected)

    def test_the_stored_file_is_what_the_script_writes(self):
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "chacha20.json"
            chacha20.main(["make_chacha20_vectors.py", str(file)])
            self.assertEqual(file.read_text(), chacha20.DEFAULT_FILE.read_text())


if __name__ == "__main__":
    unittest.main()
