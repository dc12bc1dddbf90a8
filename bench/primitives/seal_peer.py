#!/usr/bin/env python3
"""SEAL's side of the comparison with FFConv's engine (run.py): answers a line on standard input by a line of
JSON on standard output.

    describe LOG_N      parameters
    run OP LOG_N COUNT  microseconds of COUNT repetitions after a warm-up

Complex ring: N/2 complex slots at ring degree N. The nearest parameters: the same data primes in bits; SEAL has
one special prime always.
"""

import json
import math
import sys
import time

import numpy
import seal

WARM_UP_SECONDS = 0.001
# Bits of the data primes, of the special prime, of the scale.
CHAINS = {13: ([29] + 5 * [26], 54, 26), 14: ([31] + 6 * [40], 46, 40), 15: ([32] + 13 * [40], 46, 40)}
BABIES, GIANTS = 16, 8  # of linear_transform_128: baby rotations are not hoisted


class Fixture:
    def __init__(self, log_n):
        data_bits, special_bits, scale_bits = CHAINS[log_n]
        self.log_n, self.scale = log_n, 2.0**scale_bits
        parameters = seal.EncryptionParameters(seal.scheme_type.ckks)
        parameters.set_poly_modulus_degree(2**log_n)
        primes = seal.CoeffModulus.Create(2**log_n, [*data_bits, special_bits])
        parameters.set_coeff_modulus(primes)
        self.bits = [math.log2(prime.value()) for prime in primes]
        self.limbs = len(data_bits)
        context = seal.SEALContext(parameters)
        self.keygen = seal.KeyGenerator(context)
        self.encoder = seal.CKKSEncoder(context)
        self.encryptor = seal.Encryptor(context, self.keygen.create_public_key())
        self.decryptor = seal.Decryptor(context, self.keygen.secret_key())
        self.evaluator = seal.Evaluator(context)
        self.relin_keys = self.keygen.create_relin_keys()
        self.galois_keys = seal.GaloisKeys()
        self.keygen.create_galois_keys([1], self.galois_keys)
        self.slots = numpy.random.default_rng(1).uniform(-1, 1, self.encoder.slot_count())
        self.plain = self.encoder.encode(self.slots, self.scale)
        self.cipher = self.encryptor.encrypt(self.plain)
        self.transformed = self.encryptor.encrypt(self.plain)
        self.sum = self.evaluator.multiply_plain(self.cipher, self.plain)
        self.transform_keys = None
        if numpy.abs(self.decrypt_decode() - self.slots).max() > 1 / 256:
            raise ValueError("decryption: expected an error below 2^-8")

    def describe(self):
        return {"log_n": self.log_n, "modulus_bits": sum(self.bits[:-1]), "special_bits": self.bits[-1],
                "primes": self.limbs, "special_primes": 1, "prime_bits": self.bits[self.limbs - 1],
                "split": f"{BABIES}x{GIANTS}", "threads": 1}

    # Each operation; before a transform, what puts its operand into the form it needs.
    def before_ntt_forward(self):
        self.evaluator.transform_from_ntt_inplace(self.transformed)

    def ntt_forward(self):
        self.evaluator.transform_to_ntt_inplace(self.transformed)

    def ntt_inverse(self):
        self.evaluator.transform_from_ntt_inplace(self.transformed)

    def after_ntt_inverse(self):
        self.evaluator.transform_to_ntt_inplace(self.transformed)

    def rotate(self):
        return self.evaluator.rotate_vector(self.cipher, 1, self.galois_keys)

    def multiply_relinearize(self):
        product = self.evaluator.multiply(self.cipher, self.cipher)
        self.evaluator.relinearize_inplace(product, self.relin_keys)

    def multiply_plain_add(self):
        self.evaluator.add_inplace(self.sum, self.evaluator.multiply_plain(self.cipher, self.plain))

    def rescale(self):
        return self.evaluator.rescale_to_next(self.cipher)

    def encode(self):
        return self.encoder.encode(self.slots, self.scale)

    def encrypt_public(self):
        return self.encryptor.encrypt(self.plain)

    def decrypt_decode(self):
        return self.encoder.decode(self.decryptor.decrypt(self.cipher))

    def keygen_rotation(self):
        self.keygen.create_galois_keys([1], seal.GaloisKeys())

    def linear_transform_128(self):
        multiply, add = self.evaluator.multiply_plain, self.evaluator.add_inplace

        def rotate(cipher, step):
            return self.evaluator.rotate_vector(cipher, step, self.transform_keys)

        babies = [self.cipher, *(rotate(self.cipher, k) for k in range(1, BABIES))]
        total = None
        for giant in range(GIANTS):
            part = multiply(babies[0], self.diagonals[giant * BABIES])
            for k in range(1, BABIES):
                add(part, multiply(babies[k], self.diagonals[giant * BABIES + k]))
            if giant:
                add(total, rotate(part, giant * BABIES))
            else:
                total = part
        return total

    def prepare_linear_transform_128(self):
        if self.transform_keys is None:
            self.transform_keys = seal.GaloisKeys()
            steps = [*range(1, BABIES), *(BABIES * k for k in range(1, GIANTS))]
            self.keygen.create_galois_keys(steps, self.transform_keys)
            self.diagonals = [self.encoder.encode(self.slots, self.scale) for _ in range(BABIES * GIANTS)]


def nothing():
    pass


def run(fixture, name, count):
    getattr(fixture, f"prepare_{name}", nothing)()
    operation = getattr(fixture, name)
    before, after = getattr(fixture, f"before_{name}", nothing), getattr(fixture, f"after_{name}", nothing)

    def once():
        before()
        start = time.perf_counter_ns()
        operation()
        ns = time.perf_counter_ns() - start
        after()
        return ns / 1000

    end = time.perf_counter() + WARM_UP_SECONDS
    once()
    while time.perf_counter() < end:
        once()
    parts = 2 * fixture.limbs if name.startswith("ntt_") else 1  # transforms of a ciphertext's limbs
    return sum(once() for _ in range(count)) / parts


def main():
    fixtures = {}
    for line in sys.stdin:
        command, *words = line.split()
        log_n = int(words[0] if command == "describe" else words[1])
        if log_n not in fixtures:
            fixtures[log_n] = Fixture(log_n)
        if command == "describe":
            answer = fixtures[log_n].describe()
        else:
            answer = run(fixtures[log_n], words[0], int(words[2]))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
