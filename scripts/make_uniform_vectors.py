#!/usr/bin/env python3
"""Writes tests/vectors/uniform.json: known answers of sample_uniform_vartime (ring/samplers.h).

Files hold the seeds of uniform polynomials, so what a seed expands to may never change. The reference
here shares nothing with the library: the ChaCha20 of make_chacha20_vectors.py, and the rule of the header
in a few lines. The primes lie where rejection behaves differently: just below a power of two almost no
word is rejected, just above one almost every second is.

Usage: make_uniform_vectors.py [FILE]
"""

import json
import sys
from pathlib import Path

from make_chacha20_vectors import block

DEFAULT_FILE = Path(__file__).resolve().parent.parent / "tests" / "vectors" / "uniform.json"

LOG_N = 10
N = 1 << LOG_N
STEP = 4 * N  # primes are 1 modulo 4N

# (seed, stream): the smallest, an ordinary one, the largest.
STREAMS = [
    (bytes(32), 0),
    (bytes(range(32)), 5),
    (bytes(range(255, 223, -1)), 2**48 - 1),
]


def is_prime(x):
    """Miller-Rabin; these bases decide every x below 3.3e24 (Sorenson and Webster 2017)."""
    bases = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
    if x < 2 or any(x % p == 0 for p in bases):
        return x in bases
    odd, twos = x - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in bases:
        power = pow(base, odd, x)
        if power not in (1, x - 1) and not any(pow(base, odd << i, x) == x - 1 for i in range(1, twos)):
            return False
    return True


def next_prime(start, direction):
    """The first prime = 1 mod 4N from `start`, a multiple of 4N, upwards (1) or downwards (-1)."""
    candidate = start + 1 if direction > 0 else start - STEP + 1
    while not is_prime(candidate):
        candidate += direction * STEP
    return candidate


PRIMES = [next_prime(1 << 46, -1), next_prime(1 << 40, 1), next_prime(1 << 20, 1), next_prime(1 << 14, 1)]


def words(seed, stream):
    """The key stream as 8-byte little-endian words, without end."""
    nonce = bytes(4) + stream.to_bytes(8, "little")
    counter = 0
    while True:
        chunk = block(seed, counter, nonce)
        for i in range(0, 64, 8):
            yield int.from_bytes(chunk[i : i + 8], "little")
        counter += 1


def uniform_limb(seed, stream, number, prime):
    """N residues of prime number `number`, in storage order."""
    mask = (1 << prime.bit_length()) - 1
    residues = []
    for word in words(seed, (stream << 16) + number):
        if word & mask < prime:
            residues.append(word & mask)
            if len(residues) == N:
                return residues


def main(argv):
    file = Path(argv[1]) if len(argv) > 1 else DEFAULT_FILE
    rows = []
    for seed, stream in STREAMS:
        for number, prime in enumerate(PRIMES):
            limb = uniform_limb(seed, stream, number, prime)
            # The last residues depend on every word before them, accepted or not.
            rows.append(
                {
                    "seed": seed.hex(), "stream": stream, "prime_number": number,
                    "first": limb[:4], "last": limb[-4:], "sum": sum(limb),
                }
            )
    result = {"source": "scripts/make_uniform_vectors.py", "log_n": LOG_N, "primes": PRIMES, "limbs": rows}
    file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv)
