"""Reads Highwater's images with the C++ library, and writes that library's images for Highwater to read.

Called by interop.rs with one folder. For each NAME.ids (one client id a line) and NAME.ours.hll it writes NAME.theirs.hll
(one sketch, in order of insertion), NAME.union.hll (a union of two halves, compact) and NAME.plain.hll (the same,
updatable), and prints one line: NAME, the estimate of our image, of the union, and of ours united with theirs.
"""

import pathlib
import sys

import datasketches

LG_K = 12
HLL_8 = datasketches.tgt_hll_type.HLL_8


def sketch_of(ids):
    sketch = datasketches.hll_sketch(LG_K, HLL_8)
    for client_id in ids:
        sketch.update(client_id)
    return sketch


def union_of(*sketches):
    union = datasketches.hll_union(LG_K)
    for sketch in sketches:
        union.update(sketch)
    return union.get_result(HLL_8)


def main(folder):
    for path in sorted(folder.glob("*.ids")):
        ids = path.read_text(encoding="utf-8").splitlines()
        ours = datasketches.hll_sketch.deserialize(path.with_suffix(".ours.hll").read_bytes())
        theirs = sketch_of(ids)
        # Halves that overlap by all of the first: their union has no history, as ours.
        halves = union_of(sketch_of(ids[: len(ids) // 2]), theirs, theirs)
        path.with_suffix(".theirs.hll").write_bytes(theirs.serialize_compact())
        path.with_suffix(".union.hll").write_bytes(halves.serialize_compact())
        path.with_suffix(".plain.hll").write_bytes(halves.serialize_updatable())
        both = union_of(ours, theirs)
        print(path.stem, repr(ours.get_estimate()), repr(halves.get_estimate()), repr(both.get_estimate()))


main(pathlib.Path(sys.argv[1]))
