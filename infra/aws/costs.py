#!/usr/bin/env python3
"""Prints what Highwater costs on AWS, as the table in infra/README.md.

    costs.py            prints the table
    costs.py --check    compares it with what stands in infra/README.md
    costs.py --write    puts it there

Three kinds of numbers go in: PRICES, MEASURED and ASSUMED. Change them here and say --write.
"""

import argparse
import math
import pathlib
import sys

README = pathlib.Path(__file__).parent.parent / "README.md"
BEGIN = "<!-- costs.py begins -->\n"
END = "<!-- costs.py ends -->\n"

# List prices of us-east-1 in US dollars, as remembered in November 2026, not looked up: check before relying on them.
# Without free tiers, discounts and taxes.
PRICES = {
    "S3 Standard, PUT, COPY, POST, LIST, a request": 0.005 / 1000,
    "S3 Standard, GET and others, a request": 0.0004 / 1000,
    "S3 Standard, a GB-month": 0.023,
    "SQS standard, a request": 0.40 / 1e6,
    "Lambda x86, a request": 0.20 / 1e6,
    "Lambda x86, a GB-second": 0.0000166667,
    "CloudWatch Logs, a GB taken in": 0.50,
    "CloudWatch, an alarm-month": 0.10,
    "Secrets Manager, a secret-month": 0.40,
    "EC2 c7i, a vCPU-hour": 0.08925 / 2,
    "EBS gp3, a GB-month": 0.08,
    "ALB, an hour": 0.0225,
    "ALB, an LCU-hour": 0.008,
    "RDS PostgreSQL db.m7g, Multi-AZ, a vCPU-hour": 0.168,
    "RDS gp3, Multi-AZ, a GB-month": 0.23,
}

# From docs/performance.md, docs/operations.md and docs/performance/2026-11-26.txt: generated pings, calibrated by recorded ones.
MEASURED = {
    "bytes of a ping": 97_000,
    "gzip ratio of a ping as sent": 4.46,
    # Pings in a chunk, and bytes stored per byte sent; in between by the logarithm of pings.
    "stored per sent": [(2, 0.839), (4, 0.684), (8, 0.599), (10, 0.583), (16, 0.554), (20, 0.542), (200, 0.514)],
    # Gathering two pings a chunk 0.805, answering 1 / 17.504; the most expensive row.
    "CPU seconds of an edge for 1,000 pings": 0.862,
    # Small batches, to SQLite: 0.7 + 0.4.
    "CPU seconds of an aggregator for 1,000 pings": 1.1,
}

# Not measured, or a choice.
ASSUMED = {
    "stored per sent, one ping in a chunk": 1.0,
    "milliseconds of an invocation of the Lambda": 100,
    "bytes of a log line of the Lambda, with what CloudWatch adds": 600,
    "seconds for S3's notification, the invocation and the commits, beside the windows": 1,
    "seconds that an aggregator gathers a batch": 1,
    "share of a processor that is used, so that one edge can do the work of two": 0.5,
    "new connections for each ping": 1,
    "days that chunks are kept": 30,
    "processors of the database, by pings a second": {1: 2, 100: 2, 10_000: 16},
}

# As in the templates and the program.
EDGES = 2
QUERY_SERVERS = 2
AGGREGATORS_MIN = 2
LAMBDA_GB = 0.25
BATCH = 10
WINDOW_S = 1
# AWS asks a queue for a function by five pollers at first, each for up to 20 s.
POLLERS = 5
POLL_S = 20
CHUNK_BYTES_MAX = 300_000_000
WHOLE_BYTES_MAX = 16 << 20
PART_BYTES = 16 << 20
FRAME_BYTES = 8 << 20
KEYS_IN_A_LIST = 1000
CLAIMS_LOOKED_AT_EVERY_S = 5
STORE_LOOKED_AT_EVERY_S = 10
EDGE_VOLUME_GB = 100
ROOT_VOLUME_GB = 16
DATABASE_GB = 100
ALARMS = 13
# What one LCU of a load balancer is, each a second but the bytes, an hour.
LCU_CONNECTIONS = 25
LCU_GB = 1.0

DAY_S = 86_400
HOURS = 730
MONTH_S = HOURS * 3600
RATES = [1, 100, 10_000]
SEAL_AGES = [(1, "1 s"), (60, "1 min"), (300, "5 min")]
PARTITIONS = [20, 2_000]


def stored_per_sent(pings):
    """Bytes stored for each byte sent, of a chunk of so many pings."""
    known = [(1, ASSUMED["stored per sent, one ping in a chunk"]), *MEASURED["stored per sent"]]
    if pings >= known[-1][0]:
        return known[-1][1]
    for (fewer, before), (more, after) in zip(known, known[1:]):
        if pings <= more:
            along = math.log(max(pings, 1) / fewer) / math.log(more / fewer)
            return before + (after - before) * along


def pings_in_a_chunk(rate, partitions, seal_age):
    """The mean. A chunk is begun by a ping and sealed when this one has waited for the seal age. So it has that one, and
    those of its partition that come to the same edge meanwhile, as many as come in the seal age when they come at random
    times. Partitions are alike here; unlike ones of the same number make fewer chunks, never more."""
    pings = 1 + rate / EDGES / partitions * seal_age
    sent = MEASURED["bytes of a ping"] / MEASURED["gzip ratio of a ping as sent"]
    return min(pings, CHUNK_BYTES_MAX / (sent * stored_per_sent(pings)))


def requests_of_a_chunk(pings, stored):
    """Dear and cheap requests to S3: of the edge that puts, of the Lambda that indexes, of the aggregator that folds."""
    if stored <= WHOLE_BYTES_MAX:
        dear, cheap = 1, 0
    else:
        # Begin, parts, completion; before them a look whether it is there.
        dear, cheap = 2 + math.ceil(stored / PART_BYTES), 1
    tails = 2
    frames = math.ceil(pings * MEASURED["bytes of a ping"] / FRAME_BYTES)
    return dear, cheap + tails + frames


def vcpus(needed):
    """Of the smallest instance that has so many: c7i.large has two, the next ones twice as many each."""
    return 2 ** max(1, math.ceil(math.log2(max(needed, 1))))


def aggregators_for(rate):
    """Instances of two processors."""
    used = ASSUMED["share of a processor that is used, so that one edge can do the work of two"]
    return max(AGGREGATORS_MIN, math.ceil(rate * MEASURED["CPU seconds of an aggregator for 1,000 pings"] / 1000 / used / 2))


def machines(rate, sent):
    """Instances, volumes, load balancers and the database, in dollars a month."""
    used = ASSUMED["share of a processor that is used, so that one edge can do the work of two"]
    edge = vcpus(rate * MEASURED["CPU seconds of an edge for 1,000 pings"] / 1000 / used / EDGES)
    aggregators = aggregators_for(rate)
    instances = EDGES + aggregators + QUERY_SERVERS
    processors = EDGES * edge + 2 * (aggregators + QUERY_SERVERS)
    compute = processors * HOURS * PRICES["EC2 c7i, a vCPU-hour"]
    volumes = (EDGES * EDGE_VOLUME_GB + instances * ROOT_VOLUME_GB) * PRICES["EBS gp3, a GB-month"]
    connections = rate * ASSUMED["new connections for each ping"] / LCU_CONNECTIONS
    lcus = max(connections, rate * sent * 3600 / 1e9 / LCU_GB)
    balancers = HOURS * (2 * PRICES["ALB, an hour"] + lcus * PRICES["ALB, an LCU-hour"])
    processors_of_database = ASSUMED["processors of the database, by pings a second"][rate]
    # The price for a vCPU-hour holds from db.m7g.large, with two, upwards.
    database = processors_of_database * HOURS * PRICES["RDS PostgreSQL db.m7g, Multi-AZ, a vCPU-hour"]
    database += DATABASE_GB * PRICES["RDS gp3, Multi-AZ, a GB-month"]
    watching = ALARMS * PRICES["CloudWatch, an alarm-month"] + PRICES["Secrets Manager, a secret-month"]
    return compute + volumes + balancers + database + watching


def row(rate, partitions, seal_age):
    sent = MEASURED["bytes of a ping"] / MEASURED["gzip ratio of a ping as sent"]
    pings = pings_in_a_chunk(rate, partitions, seal_age)
    ratio = stored_per_sent(pings)
    stored = pings * sent * ratio
    chunks = rate / pings
    kept_days = ASSUMED["days that chunks are kept"]
    dear, cheap = requests_of_a_chunk(pings, stored)
    # Beside chunks: each edge looks at its claims, each aggregator whether the store has something, and once a day all that
    # is kept is listed.
    lists = EDGES / CLAIMS_LOOKED_AT_EVERY_S + aggregators_for(rate) / STORE_LOOKED_AT_EVERY_S
    lists += chunks * kept_days / KEYS_IN_A_LIST
    requests = (chunks * dear + lists) * PRICES["S3 Standard, PUT, COPY, POST, LIST, a request"]
    requests += chunks * cheap * PRICES["S3 Standard, GET and others, a request"]
    kept_gb = rate * sent * ratio * DAY_S * kept_days / 1e9
    kept = kept_gb * PRICES["S3 Standard, a GB-month"]
    # Each poller gathers for itself.
    invocations = chunks / min(BATCH, 1 + chunks * WINDOW_S / POLLERS)
    messages = chunks + 2 * invocations + POLLERS / POLL_S
    seconds = invocations * ASSUMED["milliseconds of an invocation of the Lambda"] / 1000
    log_gb = chunks * ASSUMED["bytes of a log line of the Lambda, with what CloudWatch adds"] / 1e9
    indexing = messages * PRICES["SQS standard, a request"] + invocations * PRICES["Lambda x86, a request"]
    indexing += seconds * LAMBDA_GB * PRICES["Lambda x86, a GB-second"]
    indexing += log_gb * PRICES["CloudWatch Logs, a GB taken in"]
    fixed = machines(rate, sent)
    a_month = (requests + indexing) * MONTH_S + kept + fixed
    fresh = seal_age + WINDOW_S + ASSUMED["seconds that an aggregator gathers a batch"]
    fresh += ASSUMED["seconds for S3's notification, the invocation and the commits, beside the windows"]
    return [
        f"{fresh} s",
        readable(pings),
        size(stored),
        readable(chunks * DAY_S),
        f"{ratio:.2f}",
        money(requests * MONTH_S),
        money(kept),
        money(indexing * MONTH_S),
        money(fixed),
        f"**{money(a_month)}**",
        money(a_month / (rate * MONTH_S / 1e6)),
    ]


def readable(number):
    """Two digits that count."""
    if number < 10:
        return f"{number:.1f}"
    step = 10 ** (math.floor(math.log10(number)) - 1)
    return f"{round(number / step) * step:,}"


def size(number):
    for unit, factor in [("MB", 1e6), ("KB", 1e3)]:
        if number >= factor:
            return f"{readable(number / factor)} {unit}"
    return f"{number:.0f} B"


def money(dollars):
    return f"{dollars:.2f}" if dollars < 10 else f"{round(dollars):,}"


def table():
    lines = [
        "| pings a second | partitions | seal age | number at most so old | pings a chunk | a chunk | chunks a day | stored / sent"
        " | S3 requests | S3, 30 days kept | SQS, Lambda, its log | machines | **a month, $** | a million pings, $ |",
        "|" + "--:|" * 14,
    ]
    for rate in RATES:
        for partitions in PARTITIONS:
            for seal_age, name in SEAL_AGES:
                cells = [f"{rate:,}", f"{partitions:,}", name, *row(rate, partitions, seal_age)]
                lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def inputs():
    """What went in, so that the table can be judged."""
    lines = ["| price, us-east-1, as remembered in November 2026 | $ |", "|---|--:|"]
    lines += [f"| {name} | {price:.10f}".rstrip("0") + " |" for name, price in PRICES.items()]
    lines += ["", "| assumed, not measured | value |", "|---|---|"]
    for name, value in ASSUMED.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key:,}: {number}" for key, number in value.items())
        lines.append(f"| {name} | {value} |")
    return "\n".join(lines) + "\n"


def parts(text):
    before, begin, rest = text.partition(BEGIN)
    between, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{README.name} has no lines {BEGIN.strip()} and {END.strip()}")
    return before, between, after


def main():
    parser = argparse.ArgumentParser(description="What Highwater costs on AWS.")
    parser.add_argument("--check", action="store_true", help="compare the table with that of infra/README.md")
    parser.add_argument("--write", action="store_true", help="put the table into infra/README.md")
    arguments = parser.parse_args()
    printed = f"\n{table()}\n{inputs()}\n"
    if not (arguments.check or arguments.write):
        print(printed, end="")
        return
    before, between, after = parts(README.read_text())
    if arguments.write:
        README.write_text(before + BEGIN + printed + END + after)
    elif between != printed:
        sys.exit("the table in infra/README.md is not what costs.py prints: say costs.py --write")


if __name__ == "__main__":
    main()
