#!/usr/bin/env python3
"""Writes tests/vectors/chacha20.json: known key-stream bytes for the seeded stream of base/random.h.

The first vectors are copied from RFC 8439, appendix A.1, as far as the stream can show them (counter 0,
or a later block of a stream that starts at 0). The others come from the cipher below, written from
section 2.3 of the RFC, and lie where the stream's implementation has seams: a stream number with eight
different bytes, and bytes across the border of its internal buffer.

Usage: make_chacha20_vectors.py [FILE]
"""

import json
import struct
import sys
from pathlib import Path

DEFAULT_FILE = Path(__file__).resolve().parent.parent / "tests" / "vectors" / "chacha20.json"

# (key, stream, offset of the first byte, bytes, vector of appendix A.1). A vector with counter c starts
# at byte 64 c. The nonce is 4 zero bytes and the stream number, little-endian.
RFC_8439 = [
    (
        bytes(32), 0, 0,
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586", 1,
    ),
    (
        bytes(32), 0, 64,
        "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
        "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f", 2,
    ),
    (
        bytes(31) + b"\x01", 0, 64,
        "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
        "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0", 3,
    ),
    (
        b"\x00\xff" + bytes(30), 0, 128,
        "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca"
        "13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096", 4,
    ),
    (
        bytes(32), 2 << 56, 0,
        "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7"
        "8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d", 5,
    ),
]

COMPUTED = [
    (bytes(range(32)), 0x0807060504030201, 0, 100),
    (bytes(range(32)), 1, 4096 - 40, 80),
    (bytes(range(255, 223, -1)), 2**64 - 1, 10 * 4096 - 3, 7),
]


def rotate_left(x, bits):
    return ((x << bits) | (x >> (32 - bits))) & 0xFFFFFFFF


def quarter_round(state, a, b, c, d):
    for x, y, z, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[x] = (state[x] + state[y]) & 0xFFFFFFFF
        state[z] = rotate_left(state[z] ^ state[x], bits)


def block(key, counter, nonce):
    """64 bytes of key stream (RFC 8439, section 2.3)."""
    initial = list(struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce))
    state = list(initial)
    for _ in range(10):
        for column in range(4):
            quarter_round(state, column, 4 + column, 8 + column, 12 + column)
        for column in range(4):
            quarter_round(
                state, column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4
            )
    return struct.pack("<16I", *((x + y) & 0xFFFFFFFF for x, y in zip(state, initial)))


def key_stream(key, stream, offset, size):
    """`size` bytes from byte `offset` of the stream, as base/random.h defines it."""
    nonce = bytes(4) + struct.pack("<Q", stream)
    blocks = range(offset // 64, (offset + size + 63) // 64)
    start = offset % 64
    return b"".join(block(key, counter, nonce) for counter in blocks)[start : start + size]


def vectors():
    for key, stream, offset, expected, number in RFC_8439:
        yield key, stream, offset, expected, f"RFC 8439, appendix A.1, test vector {number}"
    for key, stream, offset, size in COMPUTED:
        yield key, stream, offset, key_stream(key, stream, offset, size).hex(), "scripts/make_chacha20_vectors.py"


def main(argv):
    file = Path(argv[1]) if len(argv) > 1 else DEFAULT_FILE
    rows = [
        {"key": key.hex(), "stream": f"{stream:#018x}", "offset": offset, "bytes": expected, "source": source}
        for key, stream, offset, expected, source in vectors()
    ]
    file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv)
