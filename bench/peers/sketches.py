"""Unites HyperLogLog images with the C++ DataSketches library: what `bench --rows sketches` holds ours against.

Usage: sketches.py IMAGES ROUNDS

IMAGES holds images one after the other, each behind its length (32 bits, little endian). Printed are the CPU seconds of
uniting all of them ROUNDS times, and the sum of the union's 4,096 registers, as JSON.
"""

import json
import struct
import sys
import time

from datasketches import hll_sketch, hll_union, tgt_hll_type


def images(path):
    """All images of a file."""
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        yield data[at + 4 : at + 4 + length]
        at += 4 + length


def main():
    every = list(images(sys.argv[1]))
    deserialize = hll_sketch.deserialize
    before = time.process_time()
    for _ in range(int(sys.argv[2])):
        union = hll_union(12)
        update = union.update
        for image in every:
            update(deserialize(image))
    spent = time.process_time() - before
    image = union.get_result(tgt_hll_type.HLL_8).serialize_updatable()
    print(json.dumps({"cpu_seconds": spent, "registers": sum(image[40 : 40 + 4096])}))


main()
