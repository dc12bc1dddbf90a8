"""The stored vectors of the uniform sampler against their generator, and the generator's own parts."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import make_uniform_vectors as uniform  # noqa: E402


class UniformTest(unittest.TestCase):
    def test_primality_agrees_with_trial_division(self):
        for x in range(2000):
            by_division = x > 1 and all(x % d for d in range(2, x))
            self.assertEqual(uniform.is_prime(x), by_division, x)

    def test_primes_fit_the_ring_and_lie_on_both_sides_of_a_power_of_two(self):
        for prime in uniform.PRIMES:
            self.assertEqual(prime % uniform.STEP, 1)
            self.assertLess(prime, 1 << 46)
        rejected = [1 - prime / (1 << prime.bit_length()) for prime in uniform.PRIMES]
        self.assertLess(rejected[0], 0.001)
        self.assertGreater(rejected[1], 0.49)

    def test_residues_are_the_words_below_the_prime_in_their_order(self):
        prime = uniform.PRIMES[1]
        limb = uniform.uniform_limb(bytes(32), 3, 1, prime)
        stream = uniform.words(bytes(32), (3 << 16) + 1)
        accepted = []
        while len(accepted) < 10:
            word = next(stream) % (1 << prime.bit_length())
            if word < prime:
                accepted.append(word)
        self.assertEqual(limb[:10], accepted)
        self.assertEqual(len(limb), uniform.N)

    def test_the_stored_file_is_what_the_script_writes(self):
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "uniform.json"
            uniform.main(["make_uniform_vectors.py", str(file)])
            self.assertEqual(file.read_text(), uniform.DEFAULT_FILE.read_text())


if __name__ == "__main__":
    unittest.main()
