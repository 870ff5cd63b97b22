"""A slow, obvious aggregation of random pings, which shares nothing with the program but its contracts.

Usage: oracle.py draw SEED COUNT FILES FOLDER      draws pings of each reader, for `highwater import`
       oracle.py judge SEED COUNT NAME DUMP STATUS  holds the program's rows and counters against its own

Needs the packages datasketches and PyYAML (tests/requirements.txt). Exits 1 with what differs.
"""

import base64
import json
import pathlib
import random
import sys

import yaml
from datasketches import hll_sketch, tgt_hll_type

from drawn import drawn
from rows import aggregated

DECLARATION = pathlib.Path(__file__).parent / "press.yaml"
SHOWN = 12
LIST_MODE_BYTES, SET_MODE_BYTES = 8, 12


def line_of(ping):
    """A ping as a line that `highwater import` takes, with the moment at which it was received."""
    uri, _, arguments = ping.uri.partition("?")
    about = {"uri": uri, "args": arguments, "submission_timestamp": ping.received.isoformat(timespec="microseconds") + "Z"}
    about.update({name.replace("-", "_"): value for name, value in ping.headers.items()})
    return json.dumps({"attributeMap": about, "payload": base64.b64encode(ping.body).decode()})


def draw(seed, count, files, folder):
    pings = drawn(seed, count)
    order = random.Random(f"order {seed} {files}")
    order.shuffle(pings)
    cuts = sorted(order.randrange(len(pings)) for _ in range(files - 1))
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(pings)])):
        path = pathlib.Path(folder) / f"{number}.ndjson"
        path.write_text("".join(line_of(ping) + "\n" for ping in pings[start:end]))


def coupons(image):
    """The coupons of a sketch of few users, whatever their order."""
    preamble = LIST_MODE_BYTES if image[0] == 2 else SET_MODE_BYTES
    words = range(preamble, len(image), 4)
    return {int.from_bytes(image[at : at + 4], "little") for at in words} - {0}


def sketch_of(clients):
    sketch = hll_sketch(12, tgt_hll_type.HLL_8)
    for client in clients:
        sketch.update(client)
    return coupons(sketch.serialize_compact())


def answered(dump):
    """Cells and coupons of the program's lines."""
    cells, clients = {}, {}
    for text in dump.splitlines():
        line = json.loads(text)
        kind, source, day = line.pop("kind"), line.pop("source"), line.pop("submission_date")
        if kind == "users":
            image = bytes.fromhex(line.pop("image"))
            under = tuple(sorted((n, v) for n, v in line.items() if v != "UNKNOWN"))
            assert (source, day, under) not in clients, text
            clients[source, day, under] = coupons(image)
            continue
        name = tuple(line.pop(part) for part in ("metric", "process", "label", "layout"))
        if name[0] == "left_out:" or name[0].startswith("stored:"):
            # Which rule says it first is no contract; that such pings count all the same is.
            continue
        cell = [line.pop("count"), int(line.pop("sum")), {bound: int(samples) for bound, samples in line.pop("bins")}]
        under = tuple(sorted((n, v) for n, v in line.items() if v != "UNKNOWN"))
        assert (source, day, under, *name) not in cells, text
        cells[source, day, under, *name] = cell
    return cells, clients


def differences(what, expected, found):
    for key in sorted(expected.keys() | found.keys(), key=repr):
        if expected.get(key) != found.get(key):
            yield f"{what} {key}\n    oracle  {expected.get(key)}\n    program {found.get(key)}"


def judge(seed, count, name, dump, status):
    declaration = yaml.safe_load(DECLARATION.read_text())
    pings = drawn(seed, count)
    cells, clients, counts = aggregated(declaration, pings)
    sketches = {key: sketch_of(ids) for key, ids in clients.items()}
    found_cells, found_clients = answered(pathlib.Path(dump).read_text())
    told = json.loads(pathlib.Path(status).read_text())
    wrong = [*differences("cell", cells, found_cells), *differences("users", sketches, found_clients)]
    wrong += differences("counter", counts, {key: told[key] for key in counts})
    if wrong:
        print(f"seed {seed}, {name}: {len(wrong)} differences, of {len(cells)} cells", *wrong[:SHOWN], sep="\n")
        sys.exit(1)
    print(f"seed {seed}, {name}: {len(pings)} pings {counts}, {len(cells)} cells and {len(sketches)} sketches are equal")


if __name__ == "__main__":
    command, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if command == "draw":
        draw(seed, count, int(sys.argv[4]), sys.argv[5])
    else:
        judge(seed, count, *sys.argv[4:])
